/*
 * The core while memory runs out: in lives of the simulation, the n-th allocation of all that the
 * core makes fails, alone or with all that follow, for every n (rows R13 and E4 of the threat
 * model).
 *
 * Whatever fails, every promise of the world holds: a question is answered once, nothing that is
 * charged is forgotten. Or else the step says that it is broken, upon which the broker ends and is
 * started again; then nothing but the memory has to be right.
 *
 * malloc(), calloc() and realloc() of this program are wrapped by the linker.
 */
#include <errno.h>
#include <stdlib.h>

#include "drive.h"
#include "random.h"
#include "testing.h"

#define N_SEEDS      40u
#define N_HAPPENINGS 250u

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *memory, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *memory, size_t n_bytes);

static struct {
    bool is_within;     /* a step of the core */
    bool is_persistent; /* what follows the first that fails, fails too */
    uint64_t n;         /* allocations so far */
    uint64_t fails_at;  /* 0: none */
} torture;

static bool fails(void)
{
    if (!torture.is_within) {
        return false;
    }
    torture.n++;
    if (torture.fails_at == 0 || torture.n < torture.fails_at ||
        (torture.n > torture.fails_at && !torture.is_persistent)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n_bytes)
{
    return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
    return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *memory, size_t n_bytes)
{
    return fails() ? NULL : __real_realloc(memory, n_bytes);
}

static void on_step(bool is_within)
{
    torture.is_within = is_within;
}

/* One life; how many allocations it made. */
static uint64_t live(uint64_t seed, uint64_t fails_at, bool is_persistent, bool *ret_is_lost)
{
    static struct world world;
    uint8_t choices[2 * N_HAPPENINGS];
    uint64_t dice = seed;

    for (size_t i = 0; i < sizeof(choices); i++) {
        choices[i] = (uint8_t)random_next(&dice);
    }
    world_init(&world, seed);
    world.on_step = on_step;
    torture.n = 0;
    torture.fails_at = fails_at;
    torture.is_persistent = is_persistent;
    drive(&world, choices, sizeof(choices));
    *ret_is_lost = world.is_lost;
    return torture.n;
}

static void fail_each(bool is_persistent)
{
    uint64_t n_lives = 0, n_lost = 0;

    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        bool is_lost;
        uint64_t n = live(seed, 0, false, &is_lost);

        assert_false(is_lost);
        assert_true(n > 10);
        for (uint64_t i = 1; i <= n; i++) {
            live(seed, i, is_persistent, &is_lost);
            n_lives++;
            n_lost += is_lost;
        }
    }
    print_message("# %llu lives, %llu of them ended early\n", (unsigned long long)n_lives,
                  (unsigned long long)n_lost);
    assert_true(n_lost < n_lives); /* most of what fails costs one question, not the broker */
}

static void R13_E4_one_allocation_fails(void **state)
{
    (void)state;
    fail_each(false);
}

static void R13_E4_all_allocations_fail_from_one_on(void **state)
{
    (void)state;
    fail_each(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(R13_E4_one_allocation_fails),
        cmocka_unit_test(R13_E4_all_allocations_fail_from_one_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
