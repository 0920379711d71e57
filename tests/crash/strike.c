/*
 * strike FAULT N REPORT PROGRAM ARG...
 *
 * Runs PROGRAM and everything it starts under ptrace(2), counts their file-changing system calls together, and at call
 * number N, before the kernel has done it:
 *
 *   kill-all   sends SIGKILL to every process
 *   kill-one   sends SIGKILL to the process that made the call; the others go on
 *   SIGTERM-all, SIGTERM-one, SIGINT-all, SIGINT-one
 *              send these instead; the call is made, and who handles the signal goes on as it likes
 *   ENOSPC     lets the call, and every later one that needs room, fail with that error
 *   EIO        lets this one call fail with that error
 *
 * Writes to REPORT what was struck ("kill-all 7 git-lane renameat2 /a/path"), or "survived 123". Ends as PROGRAM did.
 * Linux on x86_64 and aarch64.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 4096 };
static struct { pid_t pid; int failing; } tracees[MOST];
static int count, full;
static long passed, fatal;
static const char *fault;
static FILE *report;

static int slot(pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (tracees[i].pid == pid)
			return i;
	if (count == MOST)
		abort();
	tracees[count].pid = pid;
	tracees[count].failing = 0;
	return count++;
}

static void forget(pid_t pid)
{
	int i = slot(pid);
	tracees[i] = tracees[--count];
}

/* Whether descriptor fd of pid is a regular file or directory on a disk, and its path. */
static int on_disk(pid_t pid, int fd, char *path, size_t size)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, fd);
	ssize_t length = readlink(link, path, size - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	return path[0] == '/' && strncmp(path, "/dev/", 5) && strncmp(path, "/proc/", 6) && strncmp(path, "/memfd:", 7);
}

static void text(pid_t pid, unsigned long address, char *path, size_t size)
{
	struct iovec here = { path, size - 1 }, there = { (void *)address, size - 1 };
	ssize_t length = process_vm_readv(pid, &here, 1, &there, 1, 0);
	if (length < 0) {
		/* The string may end just before an unmapped page. */
		there.iov_len = 4096 - address % 4096;
		if (there.iov_len > size - 1)
			there.iov_len = size - 1;
		length = process_vm_readv(pid, &here, 1, &there, 1, 0);
	}
	path[length < 0 ? 0 : length] = 0;
}

#define PATH(arg) do { text(pid, args[arg], path, size); return 1; } while (0)
#define FD(arg) return on_disk(pid, (int)args[arg], path, size)

/* Whether the call changes files. */
static int changes(pid_t pid, unsigned long long nr, const uint64_t *args, char *path, size_t size)
{
	const int creating = O_CREAT | O_TRUNC;
	path[0] = 0;
	switch (nr) {
#ifdef SYS_open
	case SYS_open: if (args[1] & creating) PATH(0); return 0;
	case SYS_creat: case SYS_rename: case SYS_link: case SYS_symlink: case SYS_unlink: case SYS_rmdir: case SYS_mkdir:
	case SYS_chmod: case SYS_mknod: PATH(0);
#endif
	case SYS_openat: if (args[2] & creating) PATH(1); return 0;
	case SYS_renameat2: case SYS_linkat: case SYS_unlinkat: case SYS_mkdirat: case SYS_fchmodat: case SYS_mknodat: PATH(1);
#ifdef SYS_renameat
	case SYS_renameat: PATH(1);
#endif
	case SYS_symlinkat: case SYS_truncate: PATH(0);
	case SYS_utimensat: if (args[1]) PATH(1); FD(0);
	case SYS_write: case SYS_pwrite64: case SYS_writev: case SYS_pwritev: case SYS_pwritev2: case SYS_ftruncate:
	case SYS_fchmod: case SYS_fallocate: case SYS_fsync: case SYS_fdatasync: case SYS_sendfile: FD(0);
	case SYS_copy_file_range: FD(2);
	case SYS_ioctl: if ((args[1] & 0xffff) == 0x9409 || (args[1] & 0xffff) == 0x940d) FD(0); return 0;
	}
	return 0;
}

/* A full disk refuses what needs room: new names and new bytes. */
static int needs_room(unsigned long long nr)
{
	switch (nr) {
#ifdef SYS_open
	case SYS_open: case SYS_creat: case SYS_rename: case SYS_link: case SYS_symlink: case SYS_mkdir: case SYS_mknod:
#endif
#ifdef SYS_renameat
	case SYS_renameat:
#endif
	case SYS_openat: case SYS_renameat2: case SYS_linkat: case SYS_symlinkat: case SYS_mkdirat: case SYS_mknodat:
	case SYS_write: case SYS_pwrite64: case SYS_writev: case SYS_pwritev: case SYS_pwritev2: case SYS_fallocate:
	case SYS_fsync: case SYS_fdatasync: case SYS_sendfile: case SYS_copy_file_range: case SYS_ioctl:
		return 1;
	}
	return 0;
}

/* Makes the call the process is about to make one that does not exist, or sets what it returned. */
static void set_call(pid_t pid)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L);
#else
	int none = -1;
	struct iovec io = { &none, sizeof none };
	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io);
#endif
}

static void set_result(pid_t pid, long result)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), result);
#else
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof regs };
	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io);
	regs.regs[0] = result;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
#endif
}

static pid_t leader(pid_t pid)
{
	char name[64], line[256];
	int found = pid;
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	FILE *status = fopen(name, "r");
	while (status && fgets(line, sizeof line, status))
		sscanf(line, "Tgid: %d", &found);
	if (status)
		fclose(status);
	return found;
}

static void tell(pid_t pid, unsigned long long nr, const char *path)
{
	char name[64], comm[64] = "?";
	snprintf(name, sizeof name, "/proc/%d/comm", leader(pid));
	FILE *file = fopen(name, "r");
	if (file && fgets(comm, sizeof comm, file))
		comm[strcspn(comm, "\n")] = 0;
	if (file)
		fclose(file);
	fprintf(report, "%s %ld %s call %llu %s\n", fault, passed, comm, nr, path);
	fflush(report);
}

/* Every process once, although each of its threads is traced. */
static void send_all(int signal)
{
	for (int i = 0; i < count; i++)
		if (leader(tracees[i].pid) == tracees[i].pid)
			kill(tracees[i].pid, signal);
}

static void entered(pid_t pid, unsigned long long nr, const uint64_t *args)
{
	char path[4096];
	if (!changes(pid, nr, args, path, sizeof path))
		return;
	passed++;
	if (passed == fatal) {
		tell(pid, nr, path);
		int signal = !strncmp(fault, "kill", 4) ? SIGKILL : !strncmp(fault, "SIGTERM", 7) ? SIGTERM :
			     !strncmp(fault, "SIGINT", 6) ? SIGINT : 0;
		if (signal && strstr(fault, "-all")) {
			send_all(signal);
			return;
		}
		if (signal) {
			kill(leader(pid), signal);
			return;
		}
		full = !strcmp(fault, "ENOSPC");
		if (!full || needs_room(nr)) {
			tracees[slot(pid)].failing = full ? ENOSPC : EIO;
			set_call(pid);
		}
	} else if (full && needs_room(nr)) {
		tracees[slot(pid)].failing = ENOSPC;
		set_call(pid);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	fault = argv[1];
	fatal = atol(argv[2]);
	report = fopen(argv[3], "we");
	pid_t root = fork();
	if (root == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	int status, result = 0;
	waitpid(root, &status, 0);
	slot(root);
	ptrace(PTRACE_SETOPTIONS, root, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, root, 0, 0);
	while (count > 0) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			break;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == root)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			forget(pid);
			continue;
		}
		int known = count, i = slot(pid), deliver = 0, stop = WSTOPSIG(status);
		if (stop == (SIGTRAP | 0x80)) {
			struct __ptrace_syscall_info info;
			if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0) {
				if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
					entered(pid, info.entry.nr, info.entry.args);
				else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracees[i].failing) {
					set_result(pid, -tracees[i].failing);
					tracees[i].failing = 0;
				}
			}
		} else if (status >> 16) {
			/* fork, clone or exec: nothing to deliver. */
		} else if (stop != SIGSTOP || i < known) {
			/* The first stop of a new process is ptrace's own. */
			deliver = stop == SIGSTOP ? 0 : stop;
		}
		ptrace(PTRACE_SYSCALL, pid, 0, deliver);
	}
	if (fatal == 0 || passed < fatal)
		fprintf(report, "survived %ld\n", passed);
	return result;
}
