//! Content that attributes and settings convert on its way into the worktree.

use super::*;

#[test]
fn conversions_give_what_git_gives() -> Tested {
    let table: [(&str, &[[&str; 2]]); 9] = [
        ("*.txt eol=crlf\n", &[]),
        ("*.txt eol=lf\n", &[["core.autocrlf", "true"]]),
        ("", &[["core.autocrlf", "true"]]),
        ("*.txt text\n*.bin -text\n", &[["core.eol", "crlf"]]),
        ("*.txt ident\n", &[]),
        ("*.txt working-tree-encoding=UTF-16LE\n", &[]),
        (
            "*.txt filter=up\n",
            &[
                ["filter.up.smudge", "tr a-z A-Z"],
                ["filter.up.clean", "tr A-Z a-z | sed s/id/Id/"],
            ],
        ),
        ("*.txt filter=bad\n", &[["filter.bad.smudge", "false"]]),
        ("[attr]odd eol=crlf\n*.txt odd\n", &[]),
    ];
    for (attributes, settings) in table {
        let sandbox = Sandbox::new(&[])?;
        sandbox.write("sub/a.txt", "one\ntwo $Id$\n")?;
        sandbox.write("b.bin", "one\ntwo\n")?;
        sandbox.commit()?;
        sandbox.write(".gitattributes", attributes)?;
        sandbox.commit()?;
        for setting in settings {
            sandbox.git(&[&["config"][..], &setting[..]].concat())?;
        }
        sandbox
            .compare()
            .map_err(|error| format!("{attributes:?} {settings:?}: {error}"))?;
        sandbox.check_out_again()?;
        let again = sandbox.populate("again", &[sandbox.source()], None)?;
        let expected = contents(&sandbox.main.with_file_name("expected"))?;
        assert_eq!(
            contents(&again.directory)?,
            expected,
            "{attributes:?} {settings:?}"
        );
        sandbox.assert_clean(&again)?;
    }
    Ok(())
}

#[test]
fn a_source_converted_by_settings_of_another_day_is_not_copied() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("a.txt", "one\ntwo\n")?;
    sandbox.write("b.txt", "one\ntwo\n")?;
    sandbox.commit()?;
    sandbox.git(&["config", "core.autocrlf", "true"])?;
    sandbox.check_out_again()?;
    assert_eq!(fs::read(sandbox.main.join("a.txt"))?, b"one\r\ntwo\r\n");
    for name in ["a.txt", "b.txt"] {
        let file = fs::File::options()
            .write(true)
            .open(sandbox.main.join(name))?;
        file.set_modified(SystemTime::now() - Duration::from_secs(60))?;
    }
    sandbox.git(&["update-index", "--refresh"])?;
    sandbox.git(&["config", "core.autocrlf", "false"])?;
    assert_eq!(sandbox.compare()?, How::ObjectDatabase);
    Ok(())
}

#[test]
fn a_failing_required_filter_is_an_error() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write(".gitattributes", "*.txt filter=must\n")?;
    sandbox.write("a.txt", "x")?;
    sandbox.commit()?;
    sandbox.git(&["config", "filter.must.smudge", "false"])?;
    sandbox.git(&["config", "filter.must.required", "true"])?;
    let error = sandbox
        .populate("failing", &[sandbox.source()], None)
        .err()
        .ok_or("it must fail")?;
    assert!(
        error
            .to_string()
            .contains("a.txt: smudge filter must failed"),
        "{error}"
    );
    Ok(())
}

#[test]
fn lfs_files_are_smudged() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    if !sandbox
        .output(&sandbox.main, &["lfs", "version"])?
        .status
        .success()
    {
        return Ok(());
    }
    sandbox.git(&["lfs", "install", "--local"])?;
    sandbox.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    )?;
    for number in 0..20 {
        sandbox.write(format!("{number}.bin"), vec![number; 5000])?;
    }
    sandbox.write("plain", "plain")?;
    sandbox.commit()?;
    assert!(
        sandbox
            .git(&["show", "HEAD:1.bin"])?
            .starts_with("version https://git-lfs")
    );
    assert_eq!(sandbox.compare()?, How::Copied { files: 2 });
    Ok(())
}

#[test]
fn other_attributes_in_the_source_rule_it_out() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("a.txt", "x\n")?;
    sandbox.commit()?;
    sandbox.write(".gitattributes", "*.txt -diff\n")?;
    sandbox.git(&["add", ".gitattributes"])?;
    assert_eq!(sandbox.compare()?, How::ObjectDatabase);
    Ok(())
}
