/*
 * The filter programs: what each profile decides, for every call and many arguments.
 *
 * Programs are run by a small interpreter here, which can ask about calls that nobody dares to
 * make. The same tables are given to libseccomp, whose program must decide the same. And what is
 * allowed at all is compared with a reviewed list, so that no row appears unseen.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"
#include "testing.h"

#define N_CALLS 600

struct filter {
    struct sock_filter code[4096];
    size_t n;
};

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t value;

    assert_true(offset + sizeof(value) <= sizeof(*data));
    memcpy(&value, (const char *)data + offset, sizeof(value));
    return value;
}

static bool compare(uint16_t code, uint32_t a, uint32_t k)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == k;
    case BPF_JGT:
        return a > k;
    case BPF_JGE:
        return a >= k;
    case BPF_JSET:
        return (a & k) != 0;
    default:
        fail_msg("comparison %#x is not known", code);
        return false;
    }
}

static uint32_t run(const struct filter *filter, const struct seccomp_data *data)
{
    uint32_t a = 0;

    for (size_t pc = 0; pc < filter->n; pc++) {
        const struct sock_filter *op = &filter->code[pc];

        if (op->code == (BPF_LD | BPF_W | BPF_ABS)) {
            a = load(data, op->k);
        } else if (op->code == (BPF_ALU | BPF_AND | BPF_K)) {
            a &= op->k;
        } else if (op->code == (BPF_JMP | BPF_JA)) {
            pc += op->k;
        } else if (BPF_CLASS(op->code) == BPF_JMP) {
            pc += compare(op->code, a, op->k) ? op->jt : op->jf;
        } else {
            assert_int_equal(op->code, BPF_RET | BPF_K);
            return op->k;
        }
    }
    fail_msg("the program ran off its end");
    return 0;
}

static void build(struct filter *filter, const struct seccomp_profile *profile)
{
    assert_int_equal(seccomp_filter_build(profile, filter->code, SECCOMP_PROGRAM_MAX, &filter->n),
                     0);
}

static struct seccomp_data call(int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    return (struct seccomp_data){
        .nr = nr, .arch = SECCOMP_ARCHITECTURE, .args = {a0, a1, a2, a3, 0, 0}};
}

static uint32_t decide(const struct seccomp_profile *profile, int nr, uint64_t a0, uint64_t a1,
                       uint64_t a2, uint64_t a3)
{
    static struct filter filter;
    struct seccomp_data data = call(nr, a0, a1, a2, a3);

    build(&filter, profile);
    return run(&filter, &data);
}

static const struct seccomp_profile *const profiles[] = {
    &seccomp_profile_broker,           &seccomp_profile_identity,
    &seccomp_profile_receiver,         &seccomp_profile_verify,
    &seccomp_profile_provider,         &seccomp_profile_worker,
    &seccomp_profile_provider_signals, &seccomp_profile_init,
    &seccomp_profile_init_scratch,     &seccomp_profile_provider_scratch,
    &seccomp_profile_worker_scratch,
};
#define N_PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static void another_architecture_and_x32_are_killed(void **state)
{
    static struct filter filter;

    for (size_t i = 0; i < N_PROFILES; i++) {
        struct seccomp_data data = call(__NR_read, 0, 0, 0, 0);

        build(&filter, profiles[i]);
        assert_int_equal(run(&filter, &data), SECCOMP_RET_ALLOW);
        data.arch ^= 1;
        assert_int_equal(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
        data = call(__NR_read | 0x40000000, 0, 0, 0, 0);
        assert_int_equal(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
    }
}

static void no_profile_lets_a_dangerous_call_pass(void **state)
{
    const int calls[] = {__NR_execve,
                         __NR_execveat,
                         __NR_connect,
                         __NR_bind,
                         __NR_listen,
                         __NR_socket,
                         __NR_ptrace,
                         __NR_tkill,
                         __NR_io_uring_setup,
                         __NR_io_uring_enter,
                         __NR_io_uring_register,
                         __NR_bpf,
                         __NR_keyctl,
                         __NR_add_key,
                         __NR_mount,
                         __NR_umount2,
                         __NR_pivot_root,
                         __NR_unshare,
                         __NR_setns,
                         __NR_process_vm_readv,
                         __NR_process_vm_writev,
                         __NR_userfaultfd,
                         __NR_perf_event_open,
                         __NR_init_module,
                         __NR_finit_module,
                         __NR_kexec_load,
                         __NR_setuid,
                         __NR_setresuid,
                         __NR_capset,
                         __NR_chroot,
                         __NR_pkey_mprotect,
                         __NR_shmget,
                         __NR_msgget,
                         __NR_name_to_handle_at,
                         __NR_open_by_handle_at,
                         __NR_pidfd_getfd};

    for (size_t p = 0; p < N_PROFILES; p++) {
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
            for (uint64_t a = 0; a < 64; a++) {
                assert_int_equal(decide(profiles[p], calls[i], a, a, a, a),
                                 SECCOMP_RET_KILL_PROCESS);
            }
        }
    }
}

static void providers_get_no_new_channel(void **state)
{
    const int calls[] = {__NR_socketpair,     __NR_memfd_create,  __NR_eventfd2,
                         __NR_accept4,        __NR_epoll_create1, __NR_inotify_init1,
                         __NR_timerfd_create, __NR_signalfd4};

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(decide(&seccomp_profile_provider, calls[i], 0, 0, 0, 0),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(&seccomp_profile_worker, calls[i], 0, 0, 0, 0),
                         SECCOMP_RET_KILL_PROCESS);
    }
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (uint32_t)(e))

static void clone3_is_not_implemented_anywhere(void **state)
{
    for (size_t p = 0; p < N_PROFILES; p++) {
        assert_int_equal(decide(profiles[p], __NR_clone3, 0, 0, 0, 0), ERRNO(ENOSYS));
    }
}

static void the_zygote_forks_with_exactly_two_sets_of_flags(void **state)
{
    const uint64_t plain = 0x00008000ull | 17, with_tid = 0x01208000ull | 17;

    for (int bit = 0; bit < 64; bit++) {
        uint64_t flags[] = {plain ^ 1ull << bit, with_tid ^ 1ull << bit};

        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(decide(&seccomp_profile_provider, __NR_clone, flags[i], 0, 0, 0),
                             SECCOMP_RET_KILL_PROCESS);
        }
    }
    assert_int_equal(decide(&seccomp_profile_provider, __NR_clone, plain, 0, 0, 0),
                     SECCOMP_RET_ALLOW);
    assert_int_equal(decide(&seccomp_profile_provider, __NR_clone, with_tid, 0, 0, 0),
                     SECCOMP_RET_ALLOW);
    assert_int_equal(decide(&seccomp_profile_worker, __NR_clone, plain, 0, 0, 0),
                     SECCOMP_RET_KILL_PROCESS);
}

static void memory_is_never_shared_and_writable(void **state)
{
    const struct seccomp_profile *both[] = {&seccomp_profile_provider, &seccomp_profile_worker};

    for (size_t p = 0; p < 2; p++) {
        assert_int_equal(decide(both[p], __NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(both[p], __NR_mmap, 0, 4096, PROT_WRITE, MAP_SHARED_VALIDATE),
                         SECCOMP_RET_KILL_PROCESS);
        /* Read-only now, writable by mprotect() later. */
        assert_int_equal(decide(both[p], __NR_mmap, 0, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(both[p], __NR_mmap, 0, 4096, PROT_READ, MAP_SHARED),
                         SECCOMP_RET_ALLOW);
        assert_int_equal(decide(both[p], __NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE),
                         SECCOMP_RET_ALLOW);
    }
}

static void program_text_is_mapped_only_before_content(void **state)
{
    const int executable = PROT_READ | PROT_EXEC;

    assert_int_equal(decide(&seccomp_profile_provider, __NR_mmap, 0, 1, executable, MAP_PRIVATE),
                     SECCOMP_RET_ALLOW);
    for (size_t p = 0; p < N_PROFILES; p++) {
        if (profiles[p] == &seccomp_profile_provider ||
            profiles[p] == &seccomp_profile_provider_signals ||
            profiles[p] == &seccomp_profile_provider_scratch) {
            continue;
        }
        assert_int_equal(decide(profiles[p], __NR_mmap, 0, 1, executable, MAP_PRIVATE),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(profiles[p], __NR_mmap, 0, 1, executable, MAP_SHARED),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(profiles[p], __NR_mprotect, 0, 1, executable, 0),
                         SECCOMP_RET_KILL_PROCESS);
    }
}

static void files_are_opened_for_reading_only(void **state)
{
    const int flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_PATH, O_TMPFILE};

    assert_int_equal(decide(&seccomp_profile_provider, __NR_openat, 0, 0, O_CLOEXEC, 0),
                     SECCOMP_RET_ALLOW);
    assert_int_equal(
        decide(&seccomp_profile_provider, __NR_openat, 0, 0, O_CLOEXEC | O_DIRECTORY, 0),
        SECCOMP_RET_ALLOW);
    assert_int_equal(decide(&seccomp_profile_worker, __NR_openat, 0, 0, 0, 0), ERRNO(EACCES));
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        assert_int_equal(
            decide(&seccomp_profile_provider, __NR_openat, 0, 0, (uint64_t)flags[i], 0),
            SECCOMP_RET_KILL_PROCESS);
    }
    assert_int_equal(decide(&seccomp_profile_broker, __NR_openat, 0, 0, 0, 0),
                     SECCOMP_RET_KILL_PROCESS);
}

/* Where is Landlock's affair; here: that only a provider with scratch folders may at all. */
static void files_are_made_only_with_scratch_folders(void **state)
{
    const int calls[] = {__NR_unlink,  __NR_unlinkat,  __NR_rmdir,  __NR_mkdir,
                         __NR_mkdirat, __NR_ftruncate, __NR_rename, __NR_renameat2,
                         __NR_symlink, __NR_link,      __NR_mknod,  __NR_truncate};
    const uint64_t mode = 0700;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool is_scratch = i < 6;
        uint32_t expected = is_scratch ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS;

        assert_int_equal(decide(&seccomp_profile_provider, calls[i], 0, mode, mode, 0),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(&seccomp_profile_worker, calls[i], 0, mode, mode, 0),
                         SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(decide(&seccomp_profile_provider_scratch, calls[i], 0, mode, mode, 0),
                         expected);
        assert_int_equal(decide(&seccomp_profile_worker_scratch, calls[i], 0, mode, mode, 0),
                         expected);
    }
    /* A folder that its owner cannot enter could not be emptied; what Landlock does not see, and
     * what has no name, is not opened. */
    assert_int_equal(decide(&seccomp_profile_worker_scratch, __NR_mkdir, 0, 0077, 0, 0),
                     SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(decide(&seccomp_profile_worker_scratch, __NR_openat, 0, 0, O_PATH, 0),
                     ERRNO(EACCES));
    assert_int_equal(decide(&seccomp_profile_worker_scratch, __NR_openat, 0, 0, O_TMPFILE, 0),
                     ERRNO(EACCES));
    assert_int_equal(
        decide(&seccomp_profile_worker_scratch, __NR_openat, 0, 0, O_RDWR | O_CREAT, 0600),
        SECCOMP_RET_ALLOW);
}

static void init_empties_folders_and_opens_nothing_else(void **state)
{
    const uint64_t folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

    assert_int_equal(decide(&seccomp_profile_init, __NR_openat, 0, 0, folder, 0),
                     SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(decide(&seccomp_profile_init_scratch, __NR_openat, 0, 0, folder, 0),
                     SECCOMP_RET_ALLOW);
    for (int bit = 0; bit < 32; bit++) {
        assert_int_equal(
            decide(&seccomp_profile_init_scratch, __NR_openat, 0, 0, folder ^ 1ull << bit, 0),
            SECCOMP_RET_KILL_PROCESS);
    }
}

static void a_worker_signals_itself_alone(void **state)
{
    uint64_t self = (uint64_t)getpid();

    assert_int_equal(decide(&seccomp_profile_worker, __NR_tgkill, self, self, 6, 0),
                     SECCOMP_RET_ALLOW);
    assert_int_equal(decide(&seccomp_profile_worker, __NR_tgkill, self + 1, self + 1, 6, 0),
                     SECCOMP_RET_KILL_PROCESS);
}

static void init_alone_kills_and_only_by_sigkill(void **state)
{
    for (size_t p = 0; p < N_PROFILES; p++) {
        bool is_init =
            profiles[p] == &seccomp_profile_init || profiles[p] == &seccomp_profile_init_scratch;

        for (uint64_t signo = 0; signo < 65; signo++) {
            assert_int_equal(decide(profiles[p], __NR_kill, 2, signo, 0, 0),
                             is_init && signo == 9 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
        }
    }
}

static void too_small_a_buffer_is_an_error(void **state)
{
    struct sock_filter code[16];
    size_t n;

    assert_int_equal(seccomp_filter_build(&seccomp_profile_worker, code, 16, &n), -E2BIG);
}

/* ---- against libseccomp ---- */

/* Calls that several rows speak of; with scratch folders these are some more. */
#define N_LEFT_OUT_MAX 16

static struct scmp_arg_cmp to_libseccomp(const struct seccomp_arg *arg)
{
    uint64_t mask = arg->compare == SECCOMP_EQUAL          ? UINT64_MAX
                    : arg->compare == SECCOMP_MASKED_EQUAL ? arg->mask
                                                           : UINT32_MAX;
    uint64_t value = arg->compare == SECCOMP_EQUAL_SELF ? (uint64_t)getpid() : arg->value;

    return SCMP_CMP(arg->index, SCMP_CMP_MASKED_EQ, mask, value);
}

static bool same_arg_twice(const struct seccomp_rule *rule)
{
    return rule->args[1].compare != SECCOMP_ANY && rule->args[2].compare != SECCOMP_ANY &&
           rule->args[1].index == rule->args[2].index;
}

/* Only what libseccomp can say: per call either one rule without conditions, or only conditions
 * that all allow. Returns how many calls were left out. */
static size_t give_to_libseccomp(scmp_filter_ctx ctx, const struct seccomp_profile *profile,
                                 bool is_left_out[N_CALLS])
{
    bool is_conditional[N_CALLS] = {false}, is_plain[N_CALLS] = {false};
    size_t n = 0;

    for (size_t t = 0; t < SECCOMP_TABLES_MAX; t++) {
        for (size_t i = 0; i < profile->tables[t].n_rules; i++) {
            const struct seccomp_rule *rule = &profile->tables[t].rules[i];

            if (rule->number == SECCOMP_NO_CALL) {
                continue;
            }
            if (rule->args[0].compare == SECCOMP_ANY) {
                is_left_out[rule->number] |= is_plain[rule->number];
                is_plain[rule->number] = true;
            } else {
                is_conditional[rule->number] = true;
                is_left_out[rule->number] |= rule->error != 0 || same_arg_twice(rule);
            }
        }
    }
    for (size_t i = 0; i < N_CALLS; i++) {
        is_left_out[i] |= is_plain[i] && is_conditional[i];
        n += is_left_out[i];
    }
    for (size_t t = 0; t < SECCOMP_TABLES_MAX; t++) {
        for (size_t i = 0; i < profile->tables[t].n_rules; i++) {
            const struct seccomp_rule *rule = &profile->tables[t].rules[i];
            struct scmp_arg_cmp args[SECCOMP_ARGS_MAX];
            unsigned int n_args = 0;

            if (rule->number == SECCOMP_NO_CALL || is_left_out[rule->number]) {
                continue;
            }
            while (n_args < SECCOMP_ARGS_MAX && rule->args[n_args].compare != SECCOMP_ANY) {
                args[n_args] = to_libseccomp(&rule->args[n_args]);
                n_args++;
            }
            assert_int_equal(seccomp_rule_add_array(
                                 ctx, rule->error ? SCMP_ACT_ERRNO(rule->error) : SCMP_ACT_ALLOW,
                                 rule->number, n_args, args),
                             0);
        }
    }
    return n;
}

static void export_libseccomp(scmp_filter_ctx ctx, struct filter *ret_filter)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
    n = pread(fd, ret_filter->code, sizeof(ret_filter->code), 0);
    assert_true(n > 0 && (size_t)n < sizeof(ret_filter->code));
    ret_filter->n = (size_t)n / sizeof(ret_filter->code[0]);
    close(fd);
}

static void libseccomp_decides_the_same(void **state)
{
    static struct filter ours, theirs;

    for (size_t p = 0; p < N_PROFILES; p++) {
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
        bool is_left_out[N_CALLS] = {false};
        uint64_t seed = 1;

        assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
        assert_true(give_to_libseccomp(ctx, profiles[p], is_left_out) < N_LEFT_OUT_MAX);
        export_libseccomp(ctx, &theirs);
        seccomp_release(ctx);
        build(&ours, profiles[p]);
        for (int nr = 0; nr < N_CALLS; nr++) {
            for (int round = 0; round < 200 && !is_left_out[nr]; round++) {
                struct seccomp_data data = call(nr, 0, 0, 0, 0);

                for (int a = 0; a < 6 && round > 0; a++) {
                    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
                    /* few bits, often, so that masks and small numbers are met */
                    data.args[a] = round % 3 == 0   ? (seed >> 33) % 64
                                   : round % 3 == 1 ? 1ull << (seed >> 40) % 64
                                                    : (seed >> 20) & (seed >> 7);
                }
                if (run(&ours, &data) != run(&theirs, &data)) {
                    fail_msg("%s: call %d (%llx %llx %llx %llx): %x, libseccomp %x",
                             profiles[p]->name, nr, (unsigned long long)data.args[0],
                             (unsigned long long)data.args[1], (unsigned long long)data.args[2],
                             (unsigned long long)data.args[3], run(&ours, &data),
                             run(&theirs, &data));
                }
            }
        }
    }
}

/* ---- the reviewed list ---- */

static bool has_rows(const struct seccomp_profile *profile, int nr, bool *ret_is_plain)
{
    bool has = false;

    *ret_is_plain = false;
    for (size_t t = 0; t < SECCOMP_TABLES_MAX; t++) {
        for (size_t i = 0; i < profile->tables[t].n_rules; i++) {
            const struct seccomp_rule *rule = &profile->tables[t].rules[i];

            if (rule->number == nr && rule->error == 0) {
                has = true;
                *ret_is_plain |= rule->args[0].compare == SECCOMP_ANY;
            }
        }
    }
    return has;
}

static void write_allowed(FILE *out, const struct seccomp_profile *profile)
{
    fprintf(out, "%s:\n", profile->name);
    for (int nr = 0; nr < N_CALLS; nr++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
        bool is_plain;

        if (has_rows(profile, nr, &is_plain)) {
            fprintf(out, "  %s%s\n", name ? name : "?", is_plain ? "" : " (with conditions)");
        }
        free(name);
    }
}

static void what_is_allowed_is_the_reviewed_list(void **state)
{
    const char *path = getenv("PES_ALLOWED_CALLS"); /* not set: sanitizer build, another CPU */
    static char now[65536], reviewed[65536];
    FILE *out = fmemopen(now, sizeof(now), "w");
    FILE *in;

    for (size_t p = 0; p < N_PROFILES; p++) {
        write_allowed(out, profiles[p]);
    }
    fclose(out);
    if (!path) {
        skip_because("a sanitizer needs more calls than the reviewed list has");
    }
    in = fopen(path, "r");
    assert_non_null(in);
    reviewed[fread(reviewed, 1, sizeof(reviewed) - 1, in)] = '\0';
    fclose(in);
    if (strcmp(now, reviewed) != 0) {
        fprintf(stderr, "%s", now);
        fail_msg("the profiles differ from %s; the list above is what they allow", path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_architecture_and_x32_are_killed),
        cmocka_unit_test(no_profile_lets_a_dangerous_call_pass),
        cmocka_unit_test(providers_get_no_new_channel),
        cmocka_unit_test(clone3_is_not_implemented_anywhere),
        cmocka_unit_test(the_zygote_forks_with_exactly_two_sets_of_flags),
        cmocka_unit_test(memory_is_never_shared_and_writable),
        cmocka_unit_test(program_text_is_mapped_only_before_content),
        cmocka_unit_test(files_are_opened_for_reading_only),
        cmocka_unit_test(files_are_made_only_with_scratch_folders),
        cmocka_unit_test(init_empties_folders_and_opens_nothing_else),
        cmocka_unit_test(a_worker_signals_itself_alone),
        cmocka_unit_test(init_alone_kills_and_only_by_sigkill),
        cmocka_unit_test(too_small_a_buffer_is_an_error),
        cmocka_unit_test(libseccomp_decides_the_same),
        cmocka_unit_test(what_is_allowed_is_the_reviewed_list),
    };

    return cmocka_run_group_tests_name("sandbox/seccomp_filter", tests, NULL, NULL);
}
