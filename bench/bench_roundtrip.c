/*
 * How long does an application wait for an answer, and how much of that is pes?
 *
 * In one run, in turns, on the same bytes:
 *   spread, pinned  a bare relay of the same hops (relay.h), its processes on different CPUs and on
 *                   one; the faster of both is the floor
 *   pes             pes_ask() of the running daemon, with whatever providers it has; not pinned
 *   engine          libyara in this process, with the rules that the provider loads
 *   memory, hash    a copy into fresh anonymous shared memory, and one pass of SHA-256
 * Content above 32 KiB does not travel through sockets but through shared memory, so the relay is
 * given 64 bytes there, and the floor is that relay and the copy.
 *
 * Each question has other bytes, so that nothing can be remembered. Every answer is looked at: a
 * benchmark of a broker that says "nobody could look" would be fast. With --smoke it runs for a
 * moment only, for whether it works; times are never judged here.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pes/pes.h>

#include "base/sha256.h"
#include "engine.h"
#include "relay.h"
#include "samples.h"

#define INLINE_MAX 32768u

enum column {
    COLUMN_SPREAD,
    COLUMN_PINNED,
    COLUMN_PES,
    COLUMN_BROKER,
    COLUMN_PROVIDER,
    COLUMN_ENGINE,
    COLUMN_MEMORY,
    COLUMN_HASH,
    N_COLUMNS
};

static const char *const column_names[N_COLUMNS] = {
    "spread", "pinned", "pes", "pes_broker", "provider", "engine", "memory", "hash",
};

static const size_t sizes[] = {256, 4096, 32768, 65536, 1048576};

#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct options {
    unsigned n_repeats;
    unsigned n_asks; /* of each kind, size and repeat; a tenth of it at 1 MiB */
    const char *label;
    const char *json_path;
    const char *rules_path;
};

struct bench {
    struct options options;
    struct pes_ctx *ctx;
    struct engine *engine;
    struct relay spread;
    struct relay pinned;
    char *content;
    uint64_t serial;
    struct samples samples[N_SIZES][N_COLUMNS];
};

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* A harmless script; its first line is another one each time. */
static void next_content(struct bench *bench)
{
    char line[32];
    int n = snprintf(line, sizeof(line), "# %020llu\n", (unsigned long long)++bench->serial);

    memcpy(bench->content, line, (size_t)n);
}

static void fill_content(char *content, size_t n_bytes)
{
    static const char *const words[] = {
        "echo ",     "count=", "$((count + 1)) ", "if [ -f \"$file\" ]; ",
        "then ",     "fi\n",   "printf '%s\\n' ", "\"$name\"\n",
        "for i in ", "do ",    "done\n"};
    uint64_t state = 42;
    size_t at = 0;

    while (at < n_bytes) {
        const char *word;
        size_t n;

        state = state * 6364136223846793005u + 1442695040888963407u;
        word = words[(state >> 33) % (sizeof(words) / sizeof(words[0]))];
        n = strlen(word) < n_bytes - at ? strlen(word) : n_bytes - at;
        memcpy(content + at, word, n);
        at += n;
    }
}

static void check_answer(const struct pes_answer *answer, const struct pes_answer_info *info,
                         size_t n_bytes)
{
    bool is_full = info->coverage == PES_COVERAGE_FULL &&
                   info->verdict == PES_VERDICT_NOT_DETECTED && info->content_bytes == n_bytes;

    if (info->error < 0 || !is_full) {
        fprintf(stderr,
                "bench: no honest answer for %zu bytes: error %d, verdict %u, coverage %u: %s\n",
                n_bytes, info->error, info->verdict, info->coverage, pes_answer_message(answer));
        exit(1);
    }
}

/* Of the slowest: they run side by side. */
static double provider_us(const struct pes_answer *answer, uint32_t n_parts)
{
    uint64_t slowest = 0;

    for (uint32_t i = 0; i < n_parts; i++) {
        struct pes_part part = {.size_bytes = sizeof(part)};

        if (pes_answer_part(answer, i, &part) == 0 && part.wall_us > slowest) {
            slowest = part.wall_us;
        }
    }
    return (double)slowest;
}

static void ask_pes(struct bench *bench, size_t size)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    size_t n_bytes = sizes[size];
    struct pes_request *request;
    struct pes_answer *answer;
    double start;
    double us;

    next_content(bench);
    start = samples_now_us();
    request = pes_request_new(bench->ctx, PES_KIND_SCRIPT_SHELL);
    if (pes_request_bytes(request, bench->content, n_bytes) < 0) {
        die("cannot put content into a request");
    }
    answer = pes_ask(request);
    us = samples_now_us() - start;
    pes_answer_info(answer, &info);
    check_answer(answer, &info, n_bytes);
    samples_add(&bench->samples[size][COLUMN_PES], us);
    samples_add(&bench->samples[size][COLUMN_BROKER], (double)info.broker_us);
    samples_add(&bench->samples[size][COLUMN_PROVIDER], provider_us(answer, info.n_parts));
    pes_answer_close(answer, PES_DID_RUN);
}

static void ask_relay(struct bench *bench, struct relay *relay, enum column column, size_t size,
                      unsigned n_asks)
{
    relay_enter(relay);
    for (unsigned i = 0; i < n_asks; i++) {
        size_t n_bytes = sizes[size] <= INLINE_MAX ? sizes[size] : 64;

        samples_add(&bench->samples[size][column], relay_ask(relay, bench->content, n_bytes));
    }
    relay_leave();
}

static void ask_engine(struct bench *bench, size_t size)
{
    double start;

    next_content(bench);
    start = samples_now_us();
    engine_scan(bench->engine, bench->content, sizes[size]);
    samples_add(&bench->samples[size][COLUMN_ENGINE], samples_now_us() - start);
}

static void copy_to_memory(struct bench *bench, size_t size)
{
    double start = samples_now_us();
    int fd = memfd_create("bench", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bench->content, sizes[size]) != (ssize_t)sizes[size]) {
        die("cannot fill a memfd");
    }
    samples_add(&bench->samples[size][COLUMN_MEMORY], samples_now_us() - start);
    close(fd);
}

static void hash_content(struct bench *bench, size_t size)
{
    uint8_t digest[SHA256_DIGEST_BYTES];
    double start = samples_now_us();

    sha256_digest(bench->content, sizes[size], digest);
    samples_add(&bench->samples[size][COLUMN_HASH], samples_now_us() - start);
}

static void run_repeat(struct bench *bench)
{
    for (size_t size = 0; size < N_SIZES; size++) {
        unsigned n_asks = bench->options.n_asks / (sizes[size] > 65536 ? 10 : 1);

        n_asks = n_asks ? n_asks : 1;
        ask_relay(bench, &bench->spread, COLUMN_SPREAD, size, n_asks);
        for (unsigned i = 0; i < n_asks; i++) {
            ask_pes(bench, size);
        }
        ask_relay(bench, &bench->pinned, COLUMN_PINNED, size, n_asks);
        for (unsigned i = 0; i < n_asks && bench->engine; i++) {
            ask_engine(bench, size);
        }
        for (unsigned i = 0; i < n_asks; i++) {
            copy_to_memory(bench, size);
            hash_content(bench, size);
        }
    }
}

/* The faster relay; for content that travels through shared memory, and the copy into it. */
static double floor_us(struct bench *bench, size_t size, double q)
{
    double spread = samples_quantile(&bench->samples[size][COLUMN_SPREAD], q);
    double pinned = samples_quantile(&bench->samples[size][COLUMN_PINNED], q);
    double memory = samples_quantile(&bench->samples[size][COLUMN_MEMORY], q);

    return (spread < pinned ? spread : pinned) + (sizes[size] > INLINE_MAX ? memory : 0);
}

static void print_table(struct bench *bench)
{
    printf("%s: us, p50/p99 of %zu questions (%zu at 1 MiB)\n", bench->options.label,
           bench->samples[0][COLUMN_PES].n, bench->samples[N_SIZES - 1][COLUMN_PES].n);
    printf("%8s", "bytes");
    for (size_t column = 0; column < N_COLUMNS; column++) {
        printf(" %12s", column_names[column]);
    }
    printf(" %13s\n", "pes / floor");
    for (size_t size = 0; size < N_SIZES; size++) {
        printf("%8zu", sizes[size]);
        for (size_t column = 0; column < N_COLUMNS; column++) {
            struct samples *samples = &bench->samples[size][column];
            char text[32] = "-";

            if (samples->n > 0) {
                snprintf(text, sizeof(text), "%.0f/%.0f", samples_quantile(samples, 0.5),
                         samples_quantile(samples, 0.99));
            }
            printf(" %12s", text);
        }
        printf("   %5.2f/%5.2f\n",
               samples_quantile(&bench->samples[size][COLUMN_PES], 0.5) /
                   floor_us(bench, size, 0.5),
               samples_quantile(&bench->samples[size][COLUMN_PES], 0.99) /
                   floor_us(bench, size, 0.99));
    }
}

static void write_json(struct bench *bench)
{
    FILE *file = fopen(bench->options.json_path, "we");

    if (!file) {
        die("cannot write the JSON file");
    }
    fprintf(file, "{\"label\": \"%s\", \"n_cpus\": %ld, \"n_rules\": %zu, \"sizes\": [",
            bench->options.label, sysconf(_SC_NPROCESSORS_ONLN),
            bench->engine ? engine_n_rules(bench->engine) : 0);
    for (size_t size = 0; size < N_SIZES; size++) {
        fprintf(file, "%s\n  {\"bytes\": %zu", size ? "," : "", sizes[size]);
        for (size_t column = 0; column < N_COLUMNS; column++) {
            struct samples *samples = &bench->samples[size][column];

            if (samples->n > 0) {
                fprintf(file, ", \"%s\": {\"n\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f}",
                        column_names[column], samples->n, samples_quantile(samples, 0.5),
                        samples_quantile(samples, 0.99));
            }
        }
        fprintf(file, ", \"ratio_p50\": %.3f, \"ratio_p99\": %.3f}",
                samples_quantile(&bench->samples[size][COLUMN_PES], 0.5) /
                    floor_us(bench, size, 0.5),
                samples_quantile(&bench->samples[size][COLUMN_PES], 0.99) /
                    floor_us(bench, size, 0.99));
    }
    fputs("\n]}\n", file);
    if (fclose(file) != 0) {
        die("cannot write the JSON file");
    }
}

static void parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"smoke", no_argument, NULL, 's'},
        {"label", required_argument, NULL, 'l'},
        {"json", required_argument, NULL, 'j'},
        {"rules", required_argument, NULL, 'r'},
        {"asks", required_argument, NULL, 'a'},
        {"repeats", required_argument, NULL, 'n'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 's':
            options->n_repeats = 1;
            options->n_asks = 10;
            break;
        case 'l':
            options->label = optarg;
            break;
        case 'j':
            options->json_path = optarg;
            break;
        case 'r':
            options->rules_path = optarg;
            break;
        case 'a':
            options->n_asks = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            options->n_repeats = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            fputs("usage: bench_roundtrip [--smoke] [--asks N] [--repeats N] [--label TEXT] "
                  "[--json FILE] [--rules FOLDER]\n",
                  stderr);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {
        .options = {.n_repeats = 10, .n_asks = 1000, .label = "pes"},
    };

    parse_options(argc, argv, &bench.options);
    bench.content = malloc(sizes[N_SIZES - 1]);
    if (!bench.content) {
        die("out of memory");
    }
    fill_content(bench.content, sizes[N_SIZES - 1]);
    relay_start(&bench.spread, false);
    relay_start(&bench.pinned, true);
    if (bench.options.rules_path) {
        bench.engine = engine_open(bench.options.rules_path);
    }
    bench.ctx = pes_open("pes-bench", PES_VERSION, 0);
    for (unsigned i = 0; i < bench.options.n_repeats; i++) {
        run_repeat(&bench);
    }
    print_table(&bench);
    if (bench.options.json_path) {
        write_json(&bench);
    }
    pes_close(bench.ctx);
    if (bench.engine) {
        engine_close(bench.engine);
    }
    relay_stop(&bench.pinned); /* first: its processes hold the other's socket, too */
    relay_stop(&bench.spread);
    for (size_t size = 0; size < N_SIZES; size++) {
        for (size_t column = 0; column < N_COLUMNS; column++) {
            samples_fini(&bench.samples[size][column]);
        }
    }
    free(bench.content);
    return 0;
}
