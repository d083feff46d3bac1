/*
 * What one user's content leaves behind in a provider, another user's question does not find: a
 * hostile module keeps a byte in every place there is, and looks for it from another worker.
 *
 * PES_LEAK_ROUNDS rounds of each channel, 5 if that is not set.
 */
#include <stdlib.h>
#include <string.h>

#include "provider_run.h"
#include "testing.h"

static const char *const channels[] = {"statics", "heap",    "environment", "tmp",    "shm",
                                       "sysv",    "keyring", "abstract",    "lock",   "memfd",
                                       "mapping", "offset",  "flags",       "channel"};
#define N_CHANNELS (sizeof(channels) / sizeof(channels[0]))

static uint64_t generations[2];
static uint64_t last_generation;

static void begin(uint32_t slot)
{
    generations[slot] = ++last_generation;
    spawn(slot, generations[slot]);
}

static void end(uint32_t slot)
{
    assert_int_equal(init_driver_command(&driver, INIT_KILL, slot, generations[slot]), 0);
    assert_int_equal(init_driver_wait_event(&driver, INIT_EXITED, (int)slot, TIME_MS, &event), 0);
}

/* What it found; "dead" when the attempt ended the worker. */
static const char *say(uint32_t slot, const char *verb, const char *channel, int byte)
{
    static char found[64];
    char text[64];
    int r;

    snprintf(text, sizeof(text), "%s %s %d", verb, channel, byte);
    r = ask(slot, text);
    if (r != 0) {
        assert_int_equal(r, INIT_DRIVER_E_LOST);
        return "dead";
    }
    assert_int_equal(frame.result.n_findings, 1);
    snprintf(found, sizeof(found), "%.*s", (int)frame.result.findings[0].detection.size,
             (const char *)frame.result.findings[0].detection.data);
    return found;
}

/* Slot 0 is the one user's, 1 another's beside it; then slot 0 is another's. */
static size_t n_leaked(const char *channel, int byte)
{
    size_t n = 0;

    begin(0);
    begin(1);
    (void)say(0, "keep", channel, byte);
    n += strncmp(say(1, "look", channel, 0), "Leaked", 6) == 0;
    end(0);
    end(1);
    begin(0);
    n += strncmp(say(0, "look", channel, 0), "Leaked", 6) == 0;
    end(0);
    return n;
}

static void V6_R10_nothing_that_one_user_left_is_found_by_another(void **state)
{
    const char *text = getenv("PES_LEAK_ROUNDS");
    int n_rounds = text ? atoi(text) : 5;
    size_t n_bytes = 0;

    assert_true(n_rounds > 0);
    start_ready(LEAK_MODULE, NULL);
    for (size_t i = 0; i < N_CHANNELS; i++) {
        for (int round = 0; round < n_rounds; round++) {
            size_t n = n_leaked(channels[i], round % 255 + 1);

            if (n > 0) {
                fprintf(stderr, "# channel %s: %zu bytes leaked\n", channels[i], n);
            }
            n_bytes += n;
        }
    }
    fprintf(stderr, "# %zu channels, %d rounds: %zu bytes leaked\n", N_CHANNELS, n_rounds, n_bytes);
    assert_int_equal(n_bytes, 0);
}

/* So that finding nothing above means something. */
static void V6_a_worker_finds_what_it_kept_itself(void **state)
{
    start_ready(LEAK_MODULE, NULL);
    begin(0);
    for (size_t i = 0; i < 3; i++) { /* the places that are its own */
        assert_string_equal(say(0, "keep", channels[i], 42), "Kept");
        assert_string_equal(say(0, "look", channels[i], 0), "Leaked-42");
    }
}

static void V6_a_module_that_maps_shared_memory_while_loading_does_not_start(void **state)
{
    start(LEAK_MODULE, (const char *const[]){"shared-mapping=yes", NULL});
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_non_null(strstr(event.payload, "SIGSYS"));
}

#define LEAK_TEST(name) cmocka_unit_test_setup_teardown(name, provider_set_up, provider_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LEAK_TEST(V6_R10_nothing_that_one_user_left_is_found_by_another),
        LEAK_TEST(V6_a_worker_finds_what_it_kept_itself),
        LEAK_TEST(V6_a_module_that_maps_shared_memory_while_loading_does_not_start),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("leak", tests, NULL, NULL);
}
