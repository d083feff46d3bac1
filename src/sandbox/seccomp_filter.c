/*
 * Turns an allow-list into the BPF program that the kernel runs before each system call.
 *
 * Own code instead of libseccomp, because broker, identity, receiver and hosts link libc alone and
 * because plain allow-lists need so little: one comparison per call, a few more where an argument
 * decides. The program is linear; the kernel (5.11 and later) remembers which calls are allowed
 * whatever their arguments and skips it for those. tests/unit/sandbox compares what it decides with
 * what libseccomp's own program decides.
 *
 * Promises: another architecture (or x32) than the one it was built for ends the process; so does a
 * call without a rule. A 64-bit argument is compared whole, unless the rule says that the kernel
 * takes it as an int.
 *
 * Leaves out: sorting the calls, comparing with less and greater, and any action but allow, errno
 * and kill.
 */
#include "sandbox/seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <unistd.h>

#include "sandbox/seccomp_numbers.h"

struct program {
    struct sock_filter *code;
    size_t n;
    size_t n_max;
};

static void emit(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    if (p->n < p->n_max) {
        p->code[p->n] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
    }
    p->n++; /* past n_max: only counted, the caller gets -E2BIG */
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_load_number(struct program *p)
{
    emit_load(p, offsetof(struct seccomp_data, nr));
}

/* One half of an argument; goes on when it is as wanted, otherwise jumps to where the rule ends,
 * which is filled in later: jf is 0 until then. */
static void emit_half(struct program *p, uint32_t index, bool is_high, uint32_t mask,
                      uint32_t value)
{
    emit_load(p, offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) +
                     (is_high ? sizeof(uint32_t) : 0)); /* little endian */
    if (mask != UINT32_MAX) {
        emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    }
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, value);
}

static void emit_arg(struct program *p, const struct seccomp_arg *arg)
{
    uint64_t mask = arg->mask;
    uint64_t value = arg->value;

    switch (arg->compare) {
    case SECCOMP_ANY:
        return;
    case SECCOMP_MASKED_EQUAL:
        break;
    case SECCOMP_EQUAL:
        mask = UINT64_MAX;
        break;
    case SECCOMP_EQUAL_LOW:
        mask = UINT32_MAX;
        break;
    case SECCOMP_EQUAL_SELF:
        mask = UINT32_MAX;
        value = (uint64_t)getpid();
        break;
    }
    if ((uint32_t)mask != 0) {
        emit_half(p, arg->index, false, (uint32_t)mask, (uint32_t)value);
    }
    if (mask >> 32 != 0) {
        emit_half(p, arg->index, true, (uint32_t)(mask >> 32), (uint32_t)(value >> 32));
    }
}

static void emit_rule(struct program *p, const struct seccomp_rule *rule)
{
    uint32_t action =
        rule->error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (uint32_t)rule->error;
    bool has_args = rule->args[0].compare != SECCOMP_ANY;
    size_t first = p->n;

    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)rule->number);
    for (size_t i = 0; i < SECCOMP_ARGS_MAX; i++) {
        emit_arg(p, &rule->args[i]);
    }
    emit(p, BPF_RET | BPF_K, 0, 0, action);

    /* Failing comparisons land behind the return: there the number is loaded again, if it was
     * overwritten. The first one has not overwritten it and may skip that. */
    for (size_t i = first; i < p->n && i < p->n_max; i++) {
        if (BPF_CLASS(p->code[i].code) == BPF_JMP) {
            p->code[i].jf = (uint8_t)(p->n - i - 1 + (i == first && has_args ? 1 : 0));
        }
    }
    if (has_args) {
        emit_load_number(p);
    }
}

int seccomp_filter_build(const struct seccomp_profile *profile, struct sock_filter *program,
                         size_t n_max, size_t *ret_n)
{
    struct program p = {.code = program, .n_max = n_max};

    emit_load(&p, offsetof(struct seccomp_data, arch));
    emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SECCOMP_ARCHITECTURE);
    emit(&p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    emit_load_number(&p);
    for (size_t t = 0; t < SECCOMP_TABLES_MAX; t++) {
        for (size_t i = 0; i < profile->tables[t].n_rules; i++) {
            if (profile->tables[t].rules[i].number != SECCOMP_NO_CALL) {
                emit_rule(&p, &profile->tables[t].rules[i]);
            }
        }
    }
    emit(&p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);

    if (p.n > n_max) {
        return -E2BIG;
    }
    *ret_n = p.n;
    return 0;
}
