/*
 * A module that lets no worker finish its sandbox: while loading it forbids, for all who come
 * after, the system call that the option `deny` names. Should content reach it all the same, it
 * says so.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pes/provider.h>

static const struct {
    const char *name;
    unsigned int number;
} calls[] = {
    {"prctl", SYS_prctl},
    {"close_range", SYS_close_range},
    {"landlock_restrict_self", 446},
    {"seccomp", SYS_seccomp},
};

static int deny(unsigned int number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int load(struct pes_load *context, void **ret_state)
{
    const char *name = pes_load_option(context, "deny");

    *ret_state = NULL;
    for (size_t i = 0; name && i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i].name, name) == 0 && deny(calls[i].number) == 0) {
            return 0;
        }
    }
    pes_load_fail(context, "nothing to deny");
    return -1;
}

static int scan(void *state, struct pes_scan *context)
{
    static const char text[] = "content reached a worker that is not confined\n";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    return 0;
}

static const char *const kinds[] = {"*", NULL};

const struct pes_provider *pes_provider_v1(void)
{
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "saboteur",
        .version = "1",
        .kinds = kinds,
        .load = load,
        .scan = scan,
    };

    return &provider;
}
