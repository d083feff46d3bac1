/*
 * Says in one line what a provider would be contained by here, by trying it out in a child that
 * ends at once. Tier 2: namespaces, Landlock and seccomp; 1: no namespaces; 0: seccomp alone; tier
 * 3, with a control group of its own, is not built yet. "none" means that no provider will start.
 */
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

/* The namespaces that a child of ours could leave: its exit status is the set. */
static uint32_t probe_namespaces(void)
{
    uint32_t wanted = geteuid() == 0 ? SANDBOX_NS_ALL & ~SANDBOX_NS_USER : SANDBOX_NS_ALL;
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int errors[6];

        _exit((int)sandbox_namespaces_leave(wanted, errors));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return 0;
    }
    return (uint32_t)WEXITSTATUS(status);
}

static bool has_seccomp(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void append(char *text, const char *more)
{
    size_t n = strlen(text);

    snprintf(text + n, SANDBOX_TIER_BYTES - n, "%s", more);
}

int sandbox_tier_of(uint32_t namespaces)
{
    if (sandbox_landlock_abi() == 0) {
        return 0;
    }
    return namespaces & SANDBOX_NS_PID ? 2 : 1;
}

int sandbox_tier_text(char ret_text[SANDBOX_TIER_BYTES])
{
    uint32_t namespaces = probe_namespaces();
    int landlock = sandbox_landlock_abi();
    int tier = sandbox_tier_of(namespaces);
    char part[32];

    if (!has_seccomp()) {
        snprintf(ret_text, SANDBOX_TIER_BYTES, "none: this kernel has no seccomp");
        return -1;
    }
    snprintf(ret_text, SANDBOX_TIER_BYTES, "T%d ", tier);
    if (geteuid() == 0) {
        append(ret_text, "uid, ");
    }
    for (uint32_t bit = 1, n = 0; bit <= SANDBOX_NS_MNT; bit <<= 1) {
        if (namespaces & bit) {
            append(ret_text, n++ > 0 ? "+" : "");
            append(ret_text, sandbox_namespace_name(bit));
        }
    }
    if (namespaces != 0) {
        append(ret_text, " namespaces, ");
    }
    if (landlock > 0) {
        snprintf(part, sizeof(part), "landlock %d, ", landlock);
        append(ret_text, part);
    }
    append(ret_text, "seccomp");
    return tier;
}
