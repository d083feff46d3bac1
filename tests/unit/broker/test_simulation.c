/* The core under dice: many short lives, each from a seed that is printed when a promise is
 * broken. */
#include "drive.h"
#include "random.h"
#include "testing.h"

#define N_SEEDS      2000u
#define N_HAPPENINGS 300u

static void every_promise_holds_in_every_life(void **state)
{
    static struct world world;
    uint8_t choices[2 * N_HAPPENINGS];
    uint64_t n_steps = 0, n_looks = 0, n_rows = 0, n_early = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        uint64_t dice = seed;

        for (size_t i = 0; i < sizeof(choices); i++) {
            choices[i] = (uint8_t)random_next(&dice);
        }
        world_init(&world, seed);
        drive(&world, choices, sizeof(choices));
        n_steps += world.n_steps;
        n_looks += world.n_looks;
        n_rows += world.n_rows;
        n_early += world.n_early;
    }
    print_message("# %llu scans of whole streams, %llu of beginnings, %llu answers to these\n",
                  (unsigned long long)n_rows, (unsigned long long)n_looks,
                  (unsigned long long)n_early);
    assert_true(n_rows > 500 && n_looks > 500 && n_early > 50);
    assert_true(n_steps > N_SEEDS * N_HAPPENINGS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_promise_holds_in_every_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
