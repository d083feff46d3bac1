/* V11, V12, V22: other processes: looking into them, ending them, making more of them. */
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "kit_attempt.h"

ATTEMPT(trace_me, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
ATTEMPT(trace_parent, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
ATTEMPT(seize_parent, ptrace(PTRACE_SEIZE, getppid(), NULL, NULL))
ATTEMPT(read_parent, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0))
ATTEMPT(write_parent, syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0))
ATTEMPT(advise_parent, syscall(NR_PROCESS_MADVISE, -1, NULL, 0, 0, 0))
ATTEMPT(release_parent, syscall(NR_PROCESS_MRELEASE, -1, 0))
ATTEMPT(compare, syscall(SYS_kcmp, getppid(), getppid(), 0, 0, 0))
ATTEMPT(kill_parent, kill(getppid(), SIGCONT))
ATTEMPT(kill_first, kill(1, SIGCONT))
ATTEMPT(kill_all, kill(-1, SIGCONT))
ATTEMPT(kill_group, kill(0, SIGCONT))
ATTEMPT(thread_kill_parent, syscall(SYS_tkill, getppid(), SIGCONT))
/* The one that phase 1 lets pass: Landlock and the pid namespace stop it. */
ATTEMPT(group_kill_parent, syscall(SYS_tgkill, getppid(), getppid(), SIGCONT))
ATTEMPT(queue_signal, syscall(SYS_rt_sigqueueinfo, getppid(), SIGCONT, NULL))
ATTEMPT(hold_parent, syscall(SYS_pidfd_open, getppid(), 0))
ATTEMPT(take_descriptor, syscall(NR_PIDFD_GETFD, 3, 0, 0))
ATTEMPT(signal_held, syscall(SYS_pidfd_send_signal, 3, SIGCONT, NULL, 0))
ATTEMPT(forking, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(vforking, syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(thread, syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0ul))
ATTEMPT(sharing_fork, syscall(SYS_clone, CLONE_PARENT | CLONE_VM | SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(files_fork, syscall(SYS_clone, CLONE_PARENT | CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(user_fork,
        syscall(SYS_clone, CLONE_PARENT | CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(pid_fork, syscall(SYS_clone, CLONE_PARENT | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0ul))
ATTEMPT(third_clone, syscall(SYS_clone3, NULL, 88))
ATTEMPT(leave_user, unshare(CLONE_NEWUSER))
ATTEMPT(leave_mounts, unshare(CLONE_NEWNS))
ATTEMPT(leave_files, unshare(CLONE_FILES))
ATTEMPT(enter, setns(STDERR_FILENO, 0))
ATTEMPT(executing, execl("/bin/true", "true", NULL))
ATTEMPT(limit_parent, syscall(SYS_prlimit64, getppid(), 7, NULL, NULL))

static long execute_held(void)
{
    char *none[] = {NULL};

    return syscall(SYS_execveat, 3, "", none, none, AT_EMPTY_PATH);
}

static const struct kit_attempt rows[] = {
    {"V11-trace-me", trace_me, 0},
    {"V11-trace-parent", trace_parent, 0},
    {"V11-seize-parent", seize_parent, 0},
    {"V11-read-parent", read_parent, 0},
    {"V11-write-parent", write_parent, 0},
    {"V11-process-madvise", advise_parent, 0},
    {"V11-process-mrelease", release_parent, 0},
    {"V11-kcmp", compare, 0},
    {"V11-kill-parent", kill_parent, 0},
    {"V11-kill-first", kill_first, 0},
    {"V11-kill-all", kill_all, 0},
    {"V11-kill-group", kill_group, 0},
    {"V11-tkill-parent", thread_kill_parent, 0},
    {"V11-tgkill-parent", group_kill_parent, 0},
    {"V11-queue-signal", queue_signal, 0},
    {"V11-pidfd-open", hold_parent, KIT_BROKER | KIT_IDENTITY | KIT_RECEIVER},
    {"V11-pidfd-getfd", take_descriptor, 0},
    {"V11-pidfd-signal", signal_held, 0},
    {"V12-fork", forking, 0},
    {"V12-vfork", vforking, 0},
    {"V12-thread", thread, 0},
    {"V12-fork-sharing-memory", sharing_fork, 0},
    {"V12-fork-sharing-files", files_fork, 0},
    {"V12-fork-user-namespace", user_fork, 0},
    {"V22-fork-pid-namespace", pid_fork, 0},
    {"V12-clone3", third_clone, 0},
    {"V18-unshare-user", leave_user, 0},
    {"V18-unshare-mounts", leave_mounts, 0},
    {"V18-unshare-files", leave_files, 0},
    {"V18-setns", enter, 0},
    {"V17-exec", executing, 0},
    {"V17-execveat", execute_held, 0},
    {"V11-limit-parent", limit_parent, 0},
};
KIT_TABLE(kit_processes, rows);
