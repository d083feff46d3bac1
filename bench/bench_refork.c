/*
 * What does a provider take up, and how long does it take to get a new worker?
 *
 *     bench_refork MODULE DEFINITIONS WORKERS SCRATCH_MIB [REPEATS]
 *
 * Starts one provider as the daemon would (driver/init_driver.h), with so many workers, asks each
 * of them once, and prints the memory of the zygote and of every worker: resident (RSS, what is
 * shared counts in full) and proportional (PSS, what is shared counts once in all). Then a worker
 * is killed and replaced again and again; timed are the fork, from asking init to its word that the
 * worker lives, and the first answer of the new worker.
 *
 * Memory of processes that must not be looked into can be read by root alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pes/enums.h>

#include "driver/init_driver.h"
#include "samples.h"

#ifndef PES_INIT
#error "meson.build says where pes-init and pes-host are"
#endif

#define TIME_MS     120000
#define WORKERS_MAX 16

static struct init_driver driver = INIT_DRIVER_INIT;
static struct init_driver_event event;
static struct wire_frame frame;
static char buffer[WIRE_RESULT_BYTES_MAX];

static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, event.payload);
    init_driver_fini(&driver);
    exit(1);
}

static void ask(uint32_t slot)
{
    static const char text[] = "echo harmless content for a worker\n";
    struct wire_scan scan = {
        .id = 1, .kind = PES_KIND_GENERIC, .schema_version = 1, .time_left_us = 10000000};

    if (init_driver_scan(&driver, slot, &scan, text, sizeof(text) - 1, TIME_MS, buffer, &frame) !=
            0 ||
        frame.result.coverage != PES_COVERAGE_FULL) {
        die("a worker gave no full answer");
    }
}

static long number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static void memory_print(pid_t pid, const char *name)
{
    char path[64], text[4096] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    file = fopen(path, "re");
    if (file) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    printf("  %-10s rss %8.1f MiB   pss %8.1f MiB   own %8.1f MiB\n", name,
           (double)number_after(text, "\nRss:") / 1024, (double)number_after(text, "\nPss:") / 1024,
           (double)number_after(text, "\nPrivate_Dirty:") / 1024);
}

/* Children of `parent`, in the order of their start. */
static size_t children_of(pid_t parent, pid_t *ret_pids, size_t n_max)
{
    char path[64], text[1024] = "";
    size_t n = 0;
    char *end;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    file = fopen(path, "re");
    if (file) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    for (char *at = text; n < n_max; at = end) {
        long pid = strtol(at, &end, 10);

        if (end == at) {
            break;
        }
        ret_pids[n++] = (pid_t)pid;
    }
    return n;
}

static void memory_print_all(void)
{
    pid_t init;
    pid_t pids[WORKERS_MAX + 2];
    size_t n;

    if (children_of(driver.pid, &init, 1) != 1) {
        die("init was not found");
    }
    n = children_of(init, pids, WORKERS_MAX + 2);
    for (size_t i = 0; i < n; i++) {
        memory_print(pids[i], i == 0 ? "zygote" : "worker");
    }
}

static void refork(unsigned n_repeats, uint64_t generation)
{
    struct samples forked = SAMPLES_INIT;
    struct samples answered = SAMPLES_INIT;

    for (unsigned i = 0; i < n_repeats; i++) {
        double start;

        if (init_driver_command(&driver, INIT_KILL, 0, generation) != 0 ||
            init_driver_wait_event(&driver, INIT_EXITED, 0, TIME_MS, &event) != 0) {
            die("a worker was not replaced");
        }
        start = samples_now_us();
        if (init_driver_spawn(&driver, 0, ++generation, TIME_MS) != 0) {
            die("a worker was not forked");
        }
        samples_add(&forked, samples_now_us() - start);
        ask(0);
        samples_add(&answered, samples_now_us() - start);
    }
    printf("  new worker: forked after %.0f/%.0f us, first answer after %.0f/%.0f us "
           "(p50/p99 of %u)\n",
           samples_quantile(&forked, 0.5), samples_quantile(&forked, 0.99),
           samples_quantile(&answered, 0.5), samples_quantile(&answered, 0.99), n_repeats);
    samples_fini(&forked);
    samples_fini(&answered);
}

int main(int argc, char **argv)
{
    struct init_driver_options options = {
        .init_path = PES_INIT, .host_path = PES_HOST, .name = "bench"};
    unsigned n_repeats = argc > 5 ? (unsigned)atoi(argv[5]) : 50;
    double start = samples_now_us();

    if (argc < 5 || atoi(argv[3]) < 1 || atoi(argv[3]) > WORKERS_MAX) {
        fprintf(stderr, "usage: bench_refork MODULE DEFINITIONS WORKERS SCRATCH_MIB [REPEATS]\n");
        return 2;
    }
    options.module_path = argv[1];
    options.definitions = argv[2];
    options.n_slots = (uint32_t)atoi(argv[3]);
    options.scratch_mib = (uint32_t)atoi(argv[4]);
    if (init_driver_start(&driver, &options) != 0 ||
        init_driver_wait_ready(&driver, TIME_MS, &event, &frame) != 0) {
        die("the provider does not start");
    }
    printf("%.*s: ready after %.1f s, %u worker%s\n", (int)frame.describe.definitions.size,
           (const char *)frame.describe.definitions.data, (samples_now_us() - start) / 1e6,
           options.n_slots, options.n_slots == 1 ? "" : "s");
    for (uint32_t slot = 0; slot < options.n_slots; slot++) {
        if (init_driver_spawn(&driver, slot, 1, TIME_MS) != 0) {
            die("a worker was not forked");
        }
        ask(slot);
    }
    memory_print_all();
    refork(n_repeats, 1);
    init_driver_fini(&driver);
    return 0;
}
