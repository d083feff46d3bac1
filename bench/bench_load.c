/*
 * Measures several ways to have content judged, in turns, and writes one line of JSON for each
 * turn.
 *
 * A case is a size, a number of clients and how often they ask. For each repeat, case and side, in
 * this order, the clients start together, each in a thread of its own, and ask one question after
 * the other: so whatever else the machine does meets every side. Each line tells the median and
 * the 99th percentile of the single waits, the time until the last client was done, and what this
 * process took up meanwhile. What is made of the lines is bench/run's affair.
 *
 * Without a case, idle clients are held until standard input ends.
 *
 * Every answer is checked (side.h). Times are never judged here.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <pes/pes.h>

#include "content.h"
#include "engine.h"
#include "idle.h"
#include "samples.h"
#include "side.h"

#define CASES_MAX   64u
#define SIDES_MAX   16u
#define CLIENTS_MAX 256u

static const struct side *const all_sides[] = {
    &side_spread, &side_pinned,   &side_pes,    &side_engine,        &side_copy,
    &side_hash,   &side_instream, &side_fildes, &side_instream_kept, &side_fildes_kept,
};

struct load_case {
    size_t n_bytes;
    size_t n_clients;
    size_t n_asks; /* of all clients together */
};

struct load {
    struct load_case cases[CASES_MAX];
    size_t n_cases;
    const struct side *sides[SIDES_MAX];
    size_t n_sides;
    struct side_setup setup;
    const char *rules;
    const char *prefix;
    unsigned n_repeats;
    unsigned hit_percent;
    size_t n_idle;
    bool is_first;
    uint64_t serial;
};

struct client {
    const struct load *load;
    const struct side *side;
    void *state;
    struct content content;
    size_t n_asks;
    pthread_barrier_t *start;
    pthread_t thread;
    struct samples samples;
};

void side_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* Spread evenly: 61 and 100 have no divisor in common. */
static bool is_hit(const struct load *load, uint64_t serial)
{
    return serial * 61 % 100 < load->hit_percent;
}

static void client_ask(struct client *client)
{
    bool is_marked = is_hit(client->load, client->content.serial);

    content_next(&client->content, is_marked);
    client->side->ask(client->state, client->content.bytes, client->content.n_bytes, is_marked);
}

/* The first question of each client is not counted: it connects, and touches memory. */
static void *client_run(void *argument)
{
    struct client *client = argument;

    if (client->side->enter) {
        client->side->enter(client->state);
    }
    client_ask(client);
    pthread_barrier_wait(client->start);
    for (size_t i = 0; i < client->n_asks; i++) {
        double start = samples_now_us();

        client_ask(client);
        samples_add(&client->samples, samples_now_us() - start);
    }
    pthread_barrier_wait(client->start);
    if (client->side->leave) {
        client->side->leave(client->state);
    }
    return NULL;
}

static double cpu_us(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static void turn_print(const struct side *side, const struct load_case *what, unsigned repeat,
                       struct samples *samples, double wall_us)
{
    printf("{\"side\": \"%s\", \"bytes\": %zu, \"clients\": %zu, \"repeat\": %u, \"n\": %zu, "
           "\"p50_us\": %.2f, \"p99_us\": %.2f, \"max_us\": %.2f, \"wall_us\": %.1f",
           side->name, what->n_bytes, what->n_clients, repeat, samples->n,
           samples_quantile(samples, 0.5), samples_quantile(samples, 0.99),
           samples_quantile(samples, 1), wall_us);
}

static void usage_print(const struct rusage *before, const struct rusage *after)
{
    printf(", \"cpu_us\": %.0f, \"waits\": %ld}\n", cpu_us(after) - cpu_us(before),
           after->ru_nvcsw - before->ru_nvcsw);
    fflush(stdout);
}

static void clients_start(struct load *load, const struct side *side, const struct load_case *what,
                          struct client *clients, pthread_barrier_t *start)
{
    for (size_t i = 0; i < what->n_clients; i++) {
        clients[i] = (struct client){
            .load = load,
            .side = side,
            .state = side->open(&load->setup),
            .n_asks = (what->n_asks + what->n_clients - 1) / what->n_clients,
            .start = start,
        };
        /* Never the same number twice, in this run or in another one beside the same daemon. */
        content_init(&clients[i].content, what->n_bytes, load->prefix, load->serial);
        load->serial += clients[i].n_asks + 2;
    }
    for (size_t i = 0; i < what->n_clients; i++) {
        if (pthread_create(&clients[i].thread, NULL, client_run, &clients[i]) != 0) {
            side_fail("cannot start a thread");
        }
    }
}

static void turn(struct load *load, const struct side *side, const struct load_case *what,
                 unsigned repeat)
{
    static struct client clients[CLIENTS_MAX];
    struct samples all = SAMPLES_INIT;
    struct rusage before, after;
    pthread_barrier_t start;
    double wall_us;

    pthread_barrier_init(&start, NULL, (unsigned)what->n_clients + 1);
    clients_start(load, side, what, clients, &start);
    pthread_barrier_wait(&start);
    getrusage(RUSAGE_SELF, &before);
    wall_us = samples_now_us();
    pthread_barrier_wait(&start);
    wall_us = samples_now_us() - wall_us;
    getrusage(RUSAGE_SELF, &after);
    for (size_t i = what->n_clients; i-- > 0;) {
        pthread_join(clients[i].thread, NULL);
        for (size_t k = 0; k < clients[i].samples.n; k++) {
            samples_add(&all, clients[i].samples.us[k]);
        }
        samples_fini(&clients[i].samples);
        content_fini(&clients[i].content);
        side->close(clients[i].state);
    }
    turn_print(side, what, repeat, &all, wall_us);
    usage_print(&before, &after);
    samples_fini(&all);
    pthread_barrier_destroy(&start);
}

/* Asks with a new context until somebody answers in full; prints when that was. */
static void wait_for_first(struct load *load)
{
    for (unsigned i = 0; i < 20000; i++) {
        struct pes_ctx *ctx = pes_open("pes-bench", PES_VERSION, 0);
        struct pes_request *request = pes_request_new(ctx, load->setup.kind);
        struct pes_answer_info info = {.size_bytes = sizeof(info)};
        struct pes_answer *answer;
        char text[64];
        int n = snprintf(text, sizeof(text), "# is anybody there? %u\n", i);

        (void)pes_request_bytes(request, text, (size_t)n);
        answer = pes_ask(request);
        pes_answer_info(answer, &info);
        pes_answer_close(answer, PES_DID_RUN);
        pes_close(ctx);
        if (info.error == 0 && info.coverage == PES_COVERAGE_FULL) {
            printf("{\"first_us\": %.0f}\n", samples_now_us());
            return;
        }
        usleep(500);
    }
    side_fail("nobody answered");
}

static void case_parse(struct load *load, const char *text)
{
    struct load_case *what = &load->cases[load->n_cases];

    if (load->n_cases == CASES_MAX ||
        sscanf(text, "%zu:%zu:%zu", &what->n_bytes, &what->n_clients, &what->n_asks) != 3 ||
        what->n_clients == 0 || what->n_clients > CLIENTS_MAX || what->n_asks == 0) {
        fprintf(stderr, "bench: '%s' is no case, or one too many; BYTES:CLIENTS:ASKS\n", text);
        exit(2);
    }
    load->n_cases++;
}

static const struct side *side_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(all_sides) / sizeof(all_sides[0]); i++) {
        if (strcmp(all_sides[i]->name, name) == 0) {
            return all_sides[i];
        }
    }
    fprintf(stderr, "bench: there is no side '%s'\n", name);
    exit(2);
}

static void sides_parse(struct load *load, char *text)
{
    char *name;

    while ((name = strsep(&text, ",")) && load->n_sides < SIDES_MAX) {
        load->sides[load->n_sides++] = side_by_name(name);
    }
}

static void options_parse(struct load *load, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"case", required_argument, NULL, 'c'},    {"sides", required_argument, NULL, 's'},
        {"repeats", required_argument, NULL, 'n'}, {"rules", required_argument, NULL, 'r'},
        {"clamd", required_argument, NULL, 'd'},   {"prefix", required_argument, NULL, 'p'},
        {"kind", required_argument, NULL, 'k'},    {"hits", required_argument, NULL, 'h'},
        {"idle", required_argument, NULL, 'i'},    {"marked", no_argument, NULL, 'm'},
        {"first", no_argument, NULL, 'f'},         {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            case_parse(load, optarg);
            break;
        case 's':
            sides_parse(load, optarg);
            break;
        case 'n':
            load->n_repeats = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            load->rules = optarg;
            break;
        case 'd':
            load->setup.clamd_socket = optarg;
            break;
        case 'p':
            load->prefix = optarg;
            break;
        case 'k':
            load->setup.kind = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'h':
            load->hit_percent = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'i':
            load->n_idle = strtoul(optarg, NULL, 10);
            break;
        case 'm':
            load->setup.is_marked_found = true;
            break;
        case 'f':
            load->is_first = true;
            break;
        default:
            fputs("usage: bench_load --sides NAME,... --case BYTES:CLIENTS:ASKS... [--repeats N] "
                  "[--rules FOLDER] [--clamd SOCKET] [--prefix TEXT] [--kind N] [--hits PERCENT] "
                  "[--marked] [--idle N] | --first\n",
                  stderr);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    static struct load load = {.n_repeats = 1, .setup = {.kind = PES_KIND_SCRIPT_SHELL}};
    struct idle *idle = NULL;

    options_parse(&load, argc, argv);
    load.serial = (uint64_t)samples_now_us() * 1000;
    if (load.is_first) {
        wait_for_first(&load);
        return 0;
    }
    if (load.rules && !(load.setup.engine = engine_open(load.rules))) {
        side_fail("the engine cannot be loaded in this process");
    }
    if (load.n_idle > 0) {
        idle = idle_start(load.n_idle);
        printf("{\"idle\": %zu}\n", load.n_idle);
        fflush(stdout);
    }
    if (load.n_cases == 0) {
        while (getchar() != EOF) {
        }
    }
    for (unsigned repeat = 0; repeat < load.n_repeats; repeat++) {
        for (size_t i = 0; i < load.n_cases; i++) {
            for (size_t k = 0; k < load.n_sides; k++) {
                turn(&load, load.sides[k], &load.cases[i], repeat);
            }
        }
    }
    if (idle) {
        idle_stop(idle);
    }
    if (load.setup.engine) {
        engine_close(load.setup.engine);
    }
    return 0;
}
