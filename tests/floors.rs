//! The floors of the source: each imports only those below it, and nothing imports in a large
//! circle.
//!
//! ARCHITECTURE.md says what lives on which floor. The imports are those that the compiler sees:
//! `use` and every path in the code, `super::` and `self::` resolved; unit tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// From the ground up. Rooms on one line do not know each other.
const FLOORS: [&[&str]; 12] = [
    &["error"],
    &["domain"],
    &["policy"],
    &["store"],
    &["engines"],
    &["repository"],
    &["guard", "install"],
    &["operations"],
    &["ui"],
    &["commands"],
    &["manual"],
    &["cli"],
];

/// The whole program at a glance: they may import everything.
const ABOVE: [&str; 2] = ["lib", "main"];

/// What the user interface may know: it serves the commands and asks nothing of a repository.
const FOR_UI: [&str; 4] = ["error", "domain", "policy", "store"];

/// More files than this in one circle are a knot.
const LARGEST_CIRCLE: usize = 4;

/// The rooms where a system's own ways are: elsewhere nothing asks which system it is.
const PLATFORM: [&str; 2] = ["engines/platform", "store/platform"];

/// What one system has and another has not: conditions, files, programs and calls.
const OF_ONE_SYSTEM: [&str; 22] = [
    "target_os",
    "target_vendor",
    "cfg!(windows)",
    "cfg(windows)",
    "\"/proc",
    "\"/sys/",
    "\"/etc/machine-id",
    "\"/bin/ps\"",
    "\"ps\"]",
    "/lsof\"",
    "system.posix_acl",
    "OFlags::PATH",
    "OFlags::TMPFILE",
    "RawDir",
    "inotify::",
    "pidfd_open",
    "statx(",
    "copy_file_range",
    "ioctl_ficlone",
    "clonefile",
    "kqueue",
    "prctl",
];

type Module = Vec<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of the source.
fn files() -> Vec<PathBuf> {
    let mut files = crate::support::files(&root());
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// Every module of the source with the modules it imports.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let (root, files) = (root(), files());
    let module = |path: &Path| {
        let name = path.strip_prefix(&root).unwrap().with_extension("");
        let mut parts: Module = name
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        parts
    };
    let known: BTreeSet<Module> = files.iter().map(|path| module(path)).collect();
    let read = |path: &Path| {
        let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut reader = Reader {
            module: module(path),
            known: &known,
            found: BTreeSet::new(),
        };
        reader.visit_file(&file);
        (reader.module, reader.found)
    };
    files
        .iter()
        .map(|path| read(path))
        .filter(|(module, _)| !module.contains(&"tests".to_owned()))
        .collect()
}

/// Collects what one file imports.
struct Reader<'a> {
    module: Module,
    known: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Reader<'_> {
    /// Notes the module that a path names, or is in.
    fn note(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let absolute: Module = match first.as_str() {
            "crate" => path[1..].to_vec(),
            "self" => [&self.module, &path[1..]].concat(),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                let above = self.module.len().saturating_sub(up);
                [&self.module[..above], &path[up..]].concat()
            }
            _ => [&self.module[..], path].concat(),
        };
        let named = (1..=absolute.len())
            .rev()
            .map(|length| absolute[..length].to_vec());
        if let Some(named) = named.into_iter().find(|named| self.known.contains(named))
            && named != self.module
        {
            self.found.insert(named);
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.note_tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if parts.len() > 1 {
            self.note(&parts);
        }
        syn::visit::visit_path(self, path);
    }

    // A unit test may use what it likes; other modules in a file are the file.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"));
        if !item.attrs.iter().any(is_test) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn floor(module: &[String]) -> Option<usize> {
    let room = module.first()?;
    FLOORS
        .iter()
        .position(|floor| floor.contains(&room.as_str()))
}

fn shown(module: &[String]) -> String {
    module.join("/")
}

#[test]
fn every_room_is_on_a_floor() {
    for module in imports().keys() {
        let known = floor(module).is_some() || ABOVE.contains(&module[0].as_str());
        assert!(known, "{} is on no floor", shown(module));
    }
}

#[test]
fn no_import_climbs() {
    let mut climbing = Vec::new();
    for (module, imported) in imports() {
        let Some(own) = floor(&module) else { continue };
        for other in imported {
            let fits = match floor(&other) {
                Some(_) if module[0] == other[0] => true,
                Some(_) if module[0] == "ui" => FOR_UI.contains(&other[0].as_str()),
                Some(_) if other[0] == "ui" => ["commands", "cli"].contains(&&*module[0]),
                Some(below) => below < own,
                None => false,
            };
            if !fits {
                climbing.push(format!("{} -> {}", shown(&module), shown(&other)));
            }
        }
    }
    assert!(
        climbing.is_empty(),
        "these imports climb:\n{}",
        climbing.join("\n")
    );
}

/// Nodes that all lead to each other.
fn circles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut pending) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = pending.pop() {
            for other in edges.get(&next).into_iter().flatten() {
                if seen.insert(other.clone()) {
                    pending.push(other.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<Module>> = edges
        .keys()
        .map(|module| (module, reached(module)))
        .collect();
    let mut found = BTreeSet::new();
    for (module, reached) in &all {
        let back = |other: &&Module| {
            all.get(other)
                .is_some_and(|others| others.contains(*module))
        };
        let circle: Vec<Module> = reached.iter().filter(back).cloned().collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_circle_of_files_is_large() {
    let mut edges = imports();
    // A file and those in its folder are one room.
    for (module, imported) in &mut edges {
        imported.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    }
    let large: Vec<String> = circles(&edges)
        .iter()
        .filter(|circle| circle.len() > LARGEST_CIRCLE)
        .map(|circle| {
            circle
                .iter()
                .map(|module| shown(module))
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    assert!(
        large.is_empty(),
        "these files import each other:\n{}",
        large.join("\n")
    );
}

#[test]
fn no_folders_import_each_other() {
    let imports = imports();
    let folders: BTreeSet<Module> = imports
        .keys()
        .flat_map(|module| (1..module.len()).map(|length| module[..length].to_vec()))
        .collect();
    let folder = |module: &Module| {
        let mut inside = module.clone();
        while !folders.contains(&inside) && inside.len() > 1 {
            inside.pop();
        }
        inside
    };
    let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, imported) in imports.iter().filter(|(module, _)| floor(module).is_some()) {
        let own = folder(module);
        let others = imported
            .iter()
            .filter(|other| floor(other).is_some())
            .map(folder);
        let others = others.filter(|other| !other.starts_with(&own) && !own.starts_with(other));
        edges.entry(own.clone()).or_default().extend(others);
    }
    let found: Vec<String> = circles(&edges)
        .iter()
        .map(|circle| {
            circle
                .iter()
                .map(|module| shown(module))
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    assert!(
        found.is_empty(),
        "these folders import each other:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_two_files_share_a_stem() {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files() {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if stem == "mod" {
            continue;
        }
        if let Some(other) = seen.insert(stem, path.clone()) {
            panic!("{} and {} share a name", path.display(), other.display());
        }
    }
}

#[test]
fn only_the_platform_rooms_know_which_system_it_is() {
    let mut found = Vec::new();
    for path in files() {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
        if PLATFORM.iter().any(|room| name.starts_with(room)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            if let Some(word) = OF_ONE_SYSTEM.iter().find(|word| code.contains(*word)) {
                found.push(format!("src/{name}:{}: {word}", number + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "these belong into a platform room:\n{}",
        found.join("\n")
    );
}

/// What the code of one system offers the code of the other must too: it is compiled on that system
/// alone.
#[test]
fn both_sides_of_a_platform_room_have_the_same_names() {
    for room in PLATFORM {
        let text = std::fs::read_to_string(root().join(room).join("mod.rs")).unwrap();
        let offered = |condition: &str| {
            let mut names = BTreeSet::new();
            for item in syn::parse_file(&text).unwrap().items {
                if let syn::Item::Use(item) = item
                    && item.attrs.iter().any(|attribute| is(attribute, condition))
                {
                    leaves(&item.tree, &mut names);
                }
            }
            names
        };
        let linux = offered("target_os = \"linux\"");
        assert_eq!(linux, offered("not (target_os = \"linux\")"), "{room}");
        assert!(linux.len() > 4, "{room}: {linux:?}");
    }
}

fn is(attribute: &syn::Attribute, condition: &str) -> bool {
    matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == condition)
}

fn leaves(tree: &syn::UseTree, found: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, found),
        syn::UseTree::Name(name) => drop(found.insert(name.ident.to_string())),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, found)),
        syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => panic!("one name for one thing"),
    }
}
