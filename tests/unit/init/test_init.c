/*
 * pes-init and pes-host as they are, with real modules: what dies, dies alone, and is named for
 * exactly what it died of; what goes, takes everything with it.
 *
 * Runs as whoever starts it; with --as-nobody it first becomes nobody.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pes/enums.h>

#include "provider_run.h"
#include "sys/packet.h"
#include "testing.h"

/* The driver asks for so many. */
#define N_SLOTS 2

/* ---- how workers die ---- */

static const struct death {
    const char *script;
    uint32_t how;
    int value;
    uint32_t limit;
} deaths[] = {
    {"crash SEGV", INIT_EXIT_SIGNAL, SIGSEGV, PES_LIMIT_NONE},
    {"crash ABRT", INIT_EXIT_SIGNAL, SIGABRT, PES_LIMIT_NONE},
    {"crash BUS", INIT_EXIT_SIGNAL, SIGBUS, PES_LIMIT_NONE},
    {"crash FPE", INIT_EXIT_SIGNAL, SIGFPE, PES_LIMIT_NONE},
    {"crash ILL", INIT_EXIT_SIGNAL, SIGILL, PES_LIMIT_NONE},
    {"exit 0", INIT_EXIT_STATUS, 0, PES_LIMIT_NONE},
    {"exit 1", INIT_EXIT_STATUS, 1, PES_LIMIT_NONE},
    {"exit 127", INIT_EXIT_STATUS, 127, PES_LIMIT_NONE},
    {"forbidden", INIT_EXIT_SIGNAL, SIGSYS, PES_LIMIT_SYSCALL},
};

static void each_death_is_reported_for_what_it_was(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    for (uint64_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
        char content[64];

        snprintf(content, sizeof(content), "PES-SCRIPT: %s\n", deaths[i].script);
        spawn(0, i + 1);
        assert_int_equal(ask(0, content), INIT_DRIVER_E_LOST);
        expect_exit(0, i + 1, deaths[i].how, deaths[i].value);
        assert_int_equal(event.head.limit, deaths[i].limit);
        assert_true(event.head.rss_kib > 0);
    }
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
}

static void stack_overflow_is_sigsegv(void **state)
{
    start_ready(ESCAPE_MODULE, NULL);
    spawn(1, 1);
    assert_int_equal(ask(1, "deep-recursion"), INIT_DRIVER_E_LOST);
    expect_exit(1, 1, INIT_EXIT_SIGNAL, SIGSEGV);
}

static void processor_time_is_limited_per_question(void **state)
{
    struct wire_scan scan = {.id = 1, .kind = PES_KIND_GENERIC, .time_left_us = 1};
    const char *content = "PES-SCRIPT: spin\n";

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(init_driver_scan_send(&driver, 0, &scan, content, strlen(content)), 0);
    expect_exit(0, 1, INIT_EXIT_SIGNAL, SIGXCPU);
    assert_int_equal(event.head.limit, PES_LIMIT_CPU);
    assert_true(event.head.cpu_us > 1000000);
}

static void a_worker_ends_with_its_channel(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    close(driver.channels[0]);
    driver.channels[0] = -1;
    expect_exit(0, 1, INIT_EXIT_STATUS, 0);
}

static void what_is_no_question_ends_the_worker(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(packet_send(driver.channels[0], "\xff\xff\xff", 3, -1), 0);
    expect_exit(0, 1, INIT_EXIT_STATUS, 121);
}

static void content_that_could_still_change_is_not_scanned(void **state)
{
    struct wire_scan scan = {.id = 1, .kind = PES_KIND_GENERIC, .content_bytes = 4096};
    uint8_t message[256];
    int fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
    size_t n;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
    assert_int_equal(wire_encode(WIRE_TYPE_SCAN, &scan, message, sizeof(message), &n), 0);
    assert_int_equal(packet_send(driver.channels[0], message, n, fd), 0);
    close(fd);
    expect_exit(0, 1, INIT_EXIT_STATUS, 121);
}

/* ---- slots and generations ---- */

static void only_slot_and_generation_together_kill(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 5);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 4), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 6), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 1, 5), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 63, 5), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, UINT32_MAX, 5), 0);
    assert_int_equal(ask(0, "hello"), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 5), 0);
    expect_exit(0, 5, INIT_EXIT_SIGNAL, SIGKILL);
}

static void a_hanging_worker_is_killed_and_its_slot_serves_again(void **state)
{
    struct wire_scan scan = {.id = 1, .kind = PES_KIND_GENERIC, .time_left_us = 1000};
    const char *content = "PES-SCRIPT: hang\n";

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(init_driver_scan_send(&driver, 0, &scan, content, strlen(content)), 0);
    assert_int_equal(init_driver_scan_receive(&driver, 0, 100, buffer, &frame),
                     INIT_DRIVER_E_TIMEOUT);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 1), 0);
    expect_exit(0, 1, INIT_EXIT_SIGNAL, SIGKILL);
    spawn(0, 2);
    assert_int_equal(ask(0, "hello"), 0);
}

/* A broker may know another configuration than the one that init was started with. */
static void a_slot_that_is_not_there_is_reported(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    assert_int_equal(event.head.slot, 2);
    assert_int_equal(init_driver_spawn(&driver, 2, 1, TIME_MS), INIT_DRIVER_E_LOST);
    spawn(1, 2);
    assert_int_equal(ask(1, "hello"), 0);
}

static void a_busy_slot_takes_no_second_worker(void **state)
{
    int pair[2];
    struct init_command command = {
        .version = INIT_CHANNEL_VERSION, .type = INIT_SPAWN, .slot = 0, .generation = 2};

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    /* Not init_driver_spawn(): it closes the first worker's channel, which ends that worker. */
    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_send(driver.broker, &command, sizeof(command), pair[1]), 0);
    expect_exit(0, 2, INIT_EXIT_NEVER, EBUSY);
    assert_int_equal(ask(0, "hello"), 0);
    close(pair[0]);
    close(pair[1]);
}

static void a_worker_killed_while_it_is_forked_is_still_reported(void **state)
{
    int pair[2];
    struct init_command command = {
        .version = INIT_CHANNEL_VERSION, .type = INIT_SPAWN, .slot = 1, .generation = 3};

    start_ready(SCRIPTED_MODULE, NULL);
    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_send(driver.broker, &command, sizeof(command), pair[1]), 0);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 1, 3), 0);
    assert_int_equal(init_driver_wait_event(&driver, INIT_SPAWNED, 1, TIME_MS, &event), 0);
    expect_exit(1, 3, INIT_EXIT_SIGNAL, SIGKILL);
    close(pair[0]);
    close(pair[1]);
}

/* ---- brokers ---- */

static void a_new_broker_finds_the_provider_ready_and_empty(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    spawn(1, 1);
    assert_int_equal(init_driver_new_broker(&driver), 0);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), 0);
    assert_int_equal(frame.describe.n_kinds > 0, true);
    /* The workers of the old one are gone, unannounced; its numbers are free. */
    assert_int_equal(init_driver_scan_receive(&driver, 0, TIME_MS, buffer, &frame),
                     INIT_DRIVER_E_LOST);
    spawn(0, 1);
    assert_int_equal(ask(0, "hello"), 0);
    assert_int_equal(driver.n_events, 0);
}

/* Init's next word of this type to a broker that is not the driver's own. */
static struct init_event next_event(int broker, enum init_event_type type)
{
    struct {
        struct init_event head;
        char payload[INIT_PAYLOAD_BYTES_MAX];
    } message = {0};
    struct pollfd readable = {.fd = broker, .events = POLLIN};

    do {
        assert_int_equal(poll(&readable, 1, TIME_MS), 1);
        assert_true(packet_receive(broker, &message, sizeof(message)) >=
                    (ssize_t)sizeof(message.head));
    } while (message.head.type != type);
    return message.head;
}

static int spawn_beside(int broker, uint32_t slot, uint64_t generation)
{
    struct init_command command = {.version = INIT_CHANNEL_VERSION,
                                   .type = INIT_SPAWN,
                                   .slot = slot,
                                   .generation = generation};
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_send(broker, &command, sizeof(command), pair[1]), 0);
    close(pair[1]);
    return pair[0];
}

/* Nobody asks of it any more when its channel is closed. */
static void expect_closed(int channel)
{
    struct pollfd end = {.fd = channel, .events = POLLIN};
    char byte;

    assert_int_equal(poll(&end, 1, TIME_MS), 1);
    assert_int_equal(packet_receive(channel, &byte, 1), 0);
    close(channel);
}

static void two_brokers_are_served_side_by_side(void **state)
{
    struct init_command stop = {.version = INIT_CHANNEL_VERSION, .type = INIT_STOP};
    struct init_event exited;
    int next, worker, third;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(init_driver_next_broker(&driver, &next), 0);
    assert_int_equal(next_event(next, INIT_READY).slot, N_SLOTS);
    /* The same slot and generation, in the other's count. */
    worker = spawn_beside(next, 0, 1);
    assert_int_equal(next_event(next, INIT_SPAWNED).slot, 0);
    assert_int_equal(ask(0, "hello"), 0);
    /* A kill is of one's own worker, and told to its owner. */
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 1), 0);
    expect_exit(0, 1, INIT_EXIT_SIGNAL, SIGKILL);
    assert_int_equal(poll(&(struct pollfd){.fd = worker, .events = POLLIN}, 1, 0), 0);
    /* There are two seats. */
    assert_int_equal(init_driver_next_broker(&driver, &third), 0);
    expect_closed(third);
    /* The new one leaves for good: the old one is served on. */
    close(worker);
    exited = next_event(next, INIT_EXITED);
    assert_int_equal(exited.slot, 0);
    assert_int_equal(exited.generation, 1);
    assert_int_equal(packet_send(next, &stop, sizeof(stop), -1), 0);
    expect_closed(next);
    spawn(0, 2);
    assert_int_equal(ask(0, "hello"), 0);
}

static void the_old_broker_goes_and_the_new_one_stays(void **state)
{
    int next, worker;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    for (uint64_t round = 1; round <= 3; round++) { /* each seat in turn */
        assert_int_equal(init_driver_next_broker(&driver, &next), 0);
        assert_int_equal(next_event(next, INIT_READY).slot, N_SLOTS);
        worker = spawn_beside(next, 0, round);
        assert_int_equal(next_event(next, INIT_SPAWNED).generation, round);
        close(driver.broker);
        driver.broker = next;
        driver.n_events = 0;
        close(driver.channels[0]);
        driver.channels[0] = worker;
        assert_int_equal(ask(0, "hello"), 0);
    }
}

static void a_broker_before_the_zygote_is_ready_is_told_when_it_is(void **state)
{
    int next;

    start(SCRIPTED_MODULE, NULL);
    assert_int_equal(init_driver_next_broker(&driver, &next), 0);
    assert_int_equal(next_event(next, INIT_READY).slot, N_SLOTS);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), 0);
    close(next);
}

static void a_broker_that_talks_nonsense_is_dropped_alone(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    assert_int_equal(packet_send(driver.broker, "nonsense", 8, -1), 0);
    assert_int_equal(init_driver_wait_event(&driver, 0, -1, TIME_MS, &event), INIT_DRIVER_E_LOST);
    assert_int_equal(init_driver_new_broker(&driver), 0);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), 0);
}

static void asking_before_it_is_ready_is_answered(void **state)
{
    start(SCRIPTED_MODULE, (const char *const[]){"load=hang", NULL});
    assert_int_equal(init_driver_spawn(&driver, 0, 1, TIME_MS), INIT_DRIVER_E_LOST);
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
}

/* ---- nothing survives ---- */

static void nothing_survives_stage_1(void **state)
{
    struct family family;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    spawn(1, 1);
    family = find_family(driver.pid);
    assert_true(family.n >= 4);
    assert_int_equal(kill(driver.pid, SIGKILL), 0);
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 128 + SIGKILL);
    expect_all_gone(&family);
}

/* A launcher that is killed: its children are not told by anybody but the kernel. */
static void nothing_survives_the_launcher(void **state)
{
    struct family family;
    int ready[2];
    pid_t launcher;
    char byte;

    assert_int_equal(pipe(ready), 0);
    launcher = fork();
    if (launcher == 0) {
        start_ready(SCRIPTED_MODULE, NULL);
        spawn(0, 1);
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    family = find_family(launcher);
    assert_true(family.n >= 4); /* stage 1, init, zygote, worker */
    assert_int_equal(kill(launcher, SIGKILL), 0);
    assert_int_equal(waitpid(launcher, NULL, 0), launcher);
    expect_all_gone(&family);
}

static void nothing_survives_init(void **state)
{
    struct family family;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    family = find_family(driver.pid);
    assert_true(family.n >= 3);
    assert_int_equal(kill(family.pids[0], SIGKILL), 0);
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 128 + SIGKILL);
    expect_all_gone(&family);
}

static void nothing_survives_the_launcher_s_channel(void **state)
{
    struct family family;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    family = find_family(driver.pid);
    close(driver.launcher);
    driver.launcher = -1;
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 1);
    expect_all_gone(&family);
}

static void a_dead_zygote_is_reported_and_ends_the_provider(void **state)
{
    struct family family;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    family = find_family(driver.pid);
    assert_int_equal(kill(family.pids[1], SIGKILL), 0);
    assert_int_equal(init_driver_wait_event(&driver, INIT_FAILED, -1, TIME_MS, &event), 0);
    assert_string_equal(event.payload, "died by SIGKILL while serving");
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 1);
    expect_all_gone(&family);
}

/* ---- loading ---- */

static void expect_failure(const char *module, const char *setting, const char *text)
{
    start(module, (const char *const[]){setting, NULL});
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_string_equal(event.payload, text);
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 1);
    init_driver_fini(&driver);
}

static void a_failed_load_says_why(void **state)
{
    expect_failure(ESCAPE_MODULE, "fail=bad rule", "rules.yar:3: bad rule");
    expect_failure(ESCAPE_MODULE, "crash=1", "died by SIGSEGV while loading definitions");
    expect_failure(ESCAPE_MODULE, "load=socket",
                   "died by SIGSYS while loading definitions: a system call that the sandbox "
                   "forbids");
}

static void a_failed_self_test_names_the_sample(void **state)
{
    expect_failure(ESCAPE_MODULE, "sample=wrong",
                   "self-test: sample 1 (generic, 6 bytes): expected malicious, got suspicious");
    expect_failure(ESCAPE_MODULE, "sample=crash",
                   "self-test: the worker ended while scanning sample 1 (died by SIGFPE)");
}

static void a_file_that_is_no_module_is_refused(void **state)
{
    start("/proc/self/comm", NULL);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_non_null(strstr(event.payload, "it cannot be loaded"));
}

static void a_library_that_is_no_provider_is_refused(void **state)
{
    expect_failure(LIBRARY, NULL, "it does not export pes_provider_v1()");
}

static void what_it_is_is_relayed(void **state)
{
    start_ready(ESCAPE_MODULE, (const char *const[]){"load=clone3", NULL});
    assert_int_equal(frame.describe.name.size, 6);
    assert_memory_equal(frame.describe.name.data, "escape", 6);
    assert_memory_equal(frame.describe.definitions.data, "1", 1);
    assert_memory_equal(frame.describe.note.data, "ENOSYS", 6);
    assert_int_equal(frame.describe.n_kinds, 13); /* generic, and 12 scripts */
}

/* ---- content ---- */

static void large_and_empty_content_are_scanned_whole(void **state)
{
    struct wire_scan scan = {.id = 7, .kind = PES_KIND_GENERIC, .time_left_us = 5000000};
    size_t n = 3u << 20;
    char *content = malloc(n);

    assert_non_null(content);
    memset(content, 'x', n);
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(init_driver_scan(&driver, 0, &scan, content, n, TIME_MS, buffer, &frame),
                         0);
        assert_int_equal(frame.result.coverage, PES_COVERAGE_FULL);
        assert_int_equal(frame.result.bytes_examined, n);
    }
    free(content);
    assert_int_equal(ask(0, ""), 0);
    assert_int_equal(frame.result.bytes_examined, 0);
}

static void a_failed_scan_is_not_an_opinion(void **state)
{
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ask(0, "PES-SCRIPT: found X malicious; fail\n"), 0);
    assert_int_equal(frame.result.verdict, PES_VERDICT_NONE);
    assert_int_equal(frame.result.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(frame.result.n_findings, 0);
}

#define INIT_TEST(name) cmocka_unit_test_setup_teardown(name, provider_set_up, provider_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        INIT_TEST(each_death_is_reported_for_what_it_was),
        INIT_TEST(stack_overflow_is_sigsegv),
        INIT_TEST(processor_time_is_limited_per_question),
        INIT_TEST(a_worker_ends_with_its_channel),
        INIT_TEST(what_is_no_question_ends_the_worker),
        INIT_TEST(content_that_could_still_change_is_not_scanned),
        INIT_TEST(only_slot_and_generation_together_kill),
        INIT_TEST(a_hanging_worker_is_killed_and_its_slot_serves_again),
        INIT_TEST(a_busy_slot_takes_no_second_worker),
        INIT_TEST(a_slot_that_is_not_there_is_reported),
        INIT_TEST(a_worker_killed_while_it_is_forked_is_still_reported),
        INIT_TEST(a_new_broker_finds_the_provider_ready_and_empty),
        INIT_TEST(two_brokers_are_served_side_by_side),
        INIT_TEST(the_old_broker_goes_and_the_new_one_stays),
        INIT_TEST(a_broker_before_the_zygote_is_ready_is_told_when_it_is),
        INIT_TEST(a_broker_that_talks_nonsense_is_dropped_alone),
        INIT_TEST(asking_before_it_is_ready_is_answered),
        INIT_TEST(nothing_survives_stage_1),
        INIT_TEST(nothing_survives_the_launcher),
        INIT_TEST(nothing_survives_init),
        INIT_TEST(nothing_survives_the_launcher_s_channel),
        INIT_TEST(a_dead_zygote_is_reported_and_ends_the_provider),
        INIT_TEST(a_failed_load_says_why),
        INIT_TEST(a_failed_self_test_names_the_sample),
        INIT_TEST(a_file_that_is_no_module_is_refused),
        INIT_TEST(a_library_that_is_no_provider_is_refused),
        INIT_TEST(what_it_is_is_relayed),
        INIT_TEST(large_and_empty_content_are_scanned_whole),
        INIT_TEST(a_failed_scan_is_not_an_opinion),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
