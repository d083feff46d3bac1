/* V18: the parts of the kernel that have been broken most often, and rights over the machine. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <time.h>

#include "kit_attempt.h"

#define X32 0x40000000L

ATTEMPT(mounting, mount("none", "/tmp", "tmpfs", 0, NULL))
ATTEMPT(unmounting, umount2("/proc", MNT_DETACH))
ATTEMPT(other_root, syscall(SYS_pivot_root, "/", "/"))
ATTEMPT(new_root, chroot("/tmp"))
ATTEMPT(hold_tree, syscall(NR_OPEN_TREE, AT_FDCWD, "/", 1))
ATTEMPT(move_tree, syscall(NR_MOVE_MOUNT, -1, "", AT_FDCWD, "/tmp", 4))
ATTEMPT(open_fs, syscall(NR_FSOPEN, "tmpfs", 0))
ATTEMPT(mount_attributes, syscall(NR_MOUNT_SETATTR, AT_FDCWD, "/", 0, NULL, 0))
ATTEMPT(bpf, syscall(SYS_bpf, 0, NULL, 0))
ATTEMPT(perf, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0))
ATTEMPT(io_uring_setup, syscall(SYS_io_uring_setup, 8, NULL))
ATTEMPT(io_uring_enter, syscall(SYS_io_uring_enter, 3, 0, 0, 0, NULL, 0))
ATTEMPT(io_uring_register, syscall(SYS_io_uring_register, -1, 0, NULL, 0))
ATTEMPT(aio, syscall(SYS_io_setup, 1, NULL))
ATTEMPT(load_module, syscall(SYS_init_module, NULL, 0, ""))
ATTEMPT(load_module_file, syscall(SYS_finit_module, -1, "", 0))
ATTEMPT(remove_module, syscall(SYS_delete_module, "x", 0))
ATTEMPT(kexec, syscall(SYS_kexec_load, 0, 0, NULL, 0))
ATTEMPT(rebooting,
        syscall(SYS_reboot, 0, 0, 0, NULL)) /* without the magic numbers it does nothing */
ATTEMPT(kernel_log, syscall(SYS_syslog, 10, NULL, 0))
ATTEMPT(host_name, sethostname("x", 1))
ATTEMPT(set_clock, syscall(SYS_clock_settime, CLOCK_REALTIME, NULL))
ATTEMPT(adjust_clock, syscall(SYS_adjtimex, NULL))
ATTEMPT(accounting, syscall(SYS_acct, "/tmp/pes-escape"))
ATTEMPT(quotas, syscall(SYS_quotactl, 0, NULL, 0, NULL))
ATTEMPT(timers, syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, NULL))
ATTEMPT(alarm_later, syscall(SYS_setitimer, 0, NULL, NULL))
ATTEMPT(many_futexes, syscall(NR_FUTEX_WAITV, NULL, 0, 0, NULL, 0))
ATTEMPT(landlock_rule, syscall(445, -1, 0, NULL, 0))
ATTEMPT(other_calling_convention, syscall(X32 | SYS_getpid))

/* A listener would decide in our place what other processes' calls return. */
static long listener(void)
{
    struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
    struct sock_fprog program = {.len = 1, .filter = &allow};

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   &program);
}

static const struct kit_attempt rows[] = {
    {"V18-mount", mounting, 0},
    {"V18-umount", unmounting, 0},
    {"V18-pivot-root", other_root, 0},
    {"V18-chroot", new_root, 0},
    {"V18-open-tree", hold_tree, 0},
    {"V18-move-mount", move_tree, 0},
    {"V18-fsopen", open_fs, 0},
    {"V18-mount-setattr", mount_attributes, 0},
    {"V10-bpf", bpf, 0},
    {"V10-perf", perf, 0},
    {"V18-io-uring-setup", io_uring_setup, 0},
    {"V18-io-uring-enter", io_uring_enter, 0},
    {"V18-io-uring-register", io_uring_register, 0},
    {"V18-aio", aio, 0},
    {"V18-init-module", load_module, 0},
    {"V18-finit-module", load_module_file, 0},
    {"V18-delete-module", remove_module, 0},
    {"V18-kexec", kexec, 0},
    {"V18-reboot", rebooting, 0},
    {"V10-syslog", kernel_log, 0},
    {"V18-sethostname", host_name, 0},
    {"V18-clock-settime", set_clock, 0},
    {"V18-adjtimex", adjust_clock, 0},
    {"V18-acct", accounting, 0},
    {"V18-quotactl", quotas, 0},
    {"V18-timer-create", timers, 0},
    {"V18-setitimer", alarm_later, 0},
    {"V18-futex-waitv", many_futexes, 0},
    {"V18-landlock-add-rule", landlock_rule, 0},
    {"V18-x32", other_calling_convention, 0},
    {"V18-seccomp-listener", listener, 0},
};
KIT_TABLE(kit_kernel, rows);
