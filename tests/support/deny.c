/*
 * deny CALL... -- COMMAND...: runs a command where system calls fail, as in a container or on an
 * older kernel. CALL is `unshare` (EPERM), `landlock` (ENOSYS), `socket` (EPERM) or
 * `address-family` (the same with EAFNOSUPPORT, as systemd's RestrictAddressFamilies= has it).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"

static const struct {
    const char *name;
    struct seccomp_rule rule;
} calls[] = {
    {"unshare", {.number = __NR_unshare, .error = EPERM}},
    {"socket", {.number = __NR_socket, .error = EPERM}},
    {"address-family", {.number = __NR_socket, .error = EAFNOSUPPORT}},
    {"landlock", {.number = __NR_landlock_create_ruleset, .error = ENOSYS}},
};

static int deny(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct seccomp_profile profile = {"deny", {{&calls[i].rule, 1}}};
        struct sock_filter code[64];
        struct sock_fprog program = {.filter = code};
        size_t n;

        if (strcmp(calls[i].name, name) != 0) {
            continue;
        }
        if (seccomp_filter_build(&profile, code, 64, &n) < 0) {
            return -1;
        }
        code[n - 1].k = SECCOMP_RET_ALLOW; /* the filter denies, it does not confine */
        program.len = (unsigned short)n;
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    }
    return -1;
}

int main(int argc, char **argv)
{
    int i = 1;

    if (sandbox_no_new_privs() < 0) {
        return 125;
    }
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (deny(argv[i]) < 0) {
            fprintf(stderr, "deny: cannot deny '%s'\n", argv[i]);
            return 125;
        }
    }
    if (i + 1 >= argc) {
        fprintf(stderr, "usage: deny CALL... -- COMMAND...\n");
        return 125;
    }
    execvp(argv[i + 1], argv + i + 1);
    perror(argv[i + 1]);
    return 127;
}
