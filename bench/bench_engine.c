/*
 * What does it cost to ask an engine through pes instead of having it in one's own process?
 *
 * In one run, in turns, on the same bytes: the engine in this process (engine.h), and pes_ask() of
 * a daemon that has this engine as its only provider, with the same rules or signatures. Texts of
 * three sizes and one compressed text, which an engine that unpacks has more to do with. No content
 * is asked about twice.
 *
 * Every answer is looked at: it must say "nothing found" with full coverage, and the engine in this
 * process must find nothing either. What this process takes up before and after it has loaded the
 * engine is printed, too; what the provider takes up is for bench/engines to look at.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <pes/pes.h>

#include "engine.h"
#include "samples.h"

#define TEXT_MAX (1u << 20)

static const struct content {
    const char *name;
    size_t n_bytes; /* of the text */
    bool is_packed;
    uint32_t kind;
} contents[] = {
    {"text 4 KiB", 4096, false, PES_KIND_SCRIPT_SHELL},
    {"text 64 KiB", 65536, false, PES_KIND_SCRIPT_SHELL},
    {"text 1 MiB", TEXT_MAX, false, PES_KIND_SCRIPT_SHELL},
    {"gzip 256 KiB", 262144, true, PES_KIND_ARCHIVE},
};

#define N_CONTENTS (sizeof(contents) / sizeof(contents[0]))

enum column {
    COLUMN_ENGINE,
    COLUMN_PES,
    N_COLUMNS
};

struct bench {
    const char *label;
    const char *rules;
    const char *json;
    unsigned n_asks;
    struct engine *engine;
    struct engine_scanner *scanner;
    struct pes_ctx *ctx;
    uint64_t serial;
    char *text;
    uint8_t *packed;
    size_t n_packed_max;
    long rss_before_kib;
    long rss_after_kib;
    struct samples samples[N_CONTENTS][N_COLUMNS];
};

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static long rss_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long total = 0;
    long resident = 0;

    if (!file || fscanf(file, "%ld %ld", &total, &resident) != 2) {
        die("cannot read /proc/self/statm");
    }
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void text_fill(char *text, size_t n_bytes)
{
    static const char *const words[] = {"echo ", "count=", "$((count + 1)) ",
                                        "then ", "fi\n",   "for i in ",
                                        "do ",   "done\n", "\"$name\"\n"};
    uint64_t state = 42;

    for (size_t at = 0; at < n_bytes;) {
        const char *word;
        size_t n;

        state = state * 6364136223846793005u + 1442695040888963407u;
        word = words[(state >> 33) % (sizeof(words) / sizeof(words[0]))];
        n = strlen(word) < n_bytes - at ? strlen(word) : n_bytes - at;
        memcpy(text + at, word, n);
        at += n;
    }
}

/* Another content each time: its first line is a number. */
static const void *content_next(struct bench *bench, const struct content *content, size_t *ret_n)
{
    z_stream stream = {
        .next_in = (Bytef *)bench->text,
        .avail_in = (uInt)content->n_bytes,
        .next_out = bench->packed,
        .avail_out = (uInt)bench->n_packed_max,
    };
    char line[32];
    int n = snprintf(line, sizeof(line), "# %020llu\n", (unsigned long long)++bench->serial);

    memcpy(bench->text, line, (size_t)n);
    *ret_n = content->n_bytes;
    if (!content->is_packed) {
        return bench->text;
    }
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        die("zlib failed");
    }
    *ret_n = bench->n_packed_max - stream.avail_out;
    deflateEnd(&stream);
    return bench->packed;
}

static void ask_engine(struct bench *bench, size_t i)
{
    size_t n_bytes;
    const void *bytes = content_next(bench, &contents[i], &n_bytes);
    double start = samples_now_us();

    if (engine_scan(bench->scanner, bytes, n_bytes) != 0) {
        die("the engine in this process found something in harmless content");
    }
    samples_add(&bench->samples[i][COLUMN_ENGINE], samples_now_us() - start);
}

/* Who hashes has no opinion; who unpacks nothing has not examined what is packed. */
static bool is_honest(const struct content *content, const struct pes_answer_info *info)
{
    if (info->verdict == PES_VERDICT_NO_OPINION) {
        return info->coverage == PES_COVERAGE_NOT_EXAMINED;
    }
    return info->verdict == PES_VERDICT_NOT_DETECTED &&
           (info->coverage == PES_COVERAGE_FULL ||
            (content->is_packed && info->coverage == PES_COVERAGE_UNSUPPORTED));
}

static void ask_pes(struct bench *bench, size_t i)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    size_t n_bytes;
    const void *bytes = content_next(bench, &contents[i], &n_bytes);
    double start = samples_now_us();
    struct pes_request *request = pes_request_new(bench->ctx, contents[i].kind);
    struct pes_answer *answer;

    if (pes_request_bytes(request, bytes, n_bytes) < 0) {
        die("cannot put content into a request");
    }
    answer = pes_ask(request);
    samples_add(&bench->samples[i][COLUMN_PES], samples_now_us() - start);
    pes_answer_info(answer, &info);
    if (info.error < 0 || !is_honest(&contents[i], &info)) {
        fprintf(stderr, "bench: no honest answer: error %d, verdict %u, coverage %u: %s\n",
                info.error, info.verdict, info.coverage, pes_answer_message(answer));
        exit(1);
    }
    pes_answer_close(answer, PES_DID_RUN);
}

/* In turns, a few at a time, so that whatever else the machine does meets both. */
static void run(struct bench *bench)
{
    for (unsigned round = 0; round < 10; round++) {
        for (size_t i = 0; i < N_CONTENTS; i++) {
            unsigned n = bench->n_asks / (contents[i].n_bytes > 65536 ? 50 : 10);

            if (contents[i].is_packed && !engine_takes_packed()) {
                continue;
            }
            for (unsigned k = 0; k < (n > 0 ? n : 1); k++) {
                ask_engine(bench, i);
                ask_pes(bench, i);
            }
        }
    }
}

static double megabytes_per_s(const struct content *content, double us)
{
    return (double)content->n_bytes / us;
}

static void print_table(struct bench *bench)
{
    printf("%s: %zu rules or signatures; this process %ld MiB, with the engine %ld MiB\n",
           bench->label, engine_n_rules(bench->engine), bench->rss_before_kib / 1024,
           bench->rss_after_kib / 1024);
    printf("%-14s %8s %22s %22s %8s %11s %11s\n", "content", "asks", "engine us, p50/p99",
           "pes us, p50/p99", "ratio", "engine MB/s", "pes MB/s");
    for (size_t i = 0; i < N_CONTENTS; i++) {
        struct samples *engine = &bench->samples[i][COLUMN_ENGINE];
        struct samples *pes = &bench->samples[i][COLUMN_PES];
        double engine_us = samples_quantile(engine, 0.5);
        double pes_us = samples_quantile(pes, 0.5);
        char texts[2][32];

        if (engine->n == 0) {
            continue; /* it does not take this kind */
        }
        snprintf(texts[0], sizeof(texts[0]), "%.0f/%.0f", engine_us,
                 samples_quantile(engine, 0.99));
        snprintf(texts[1], sizeof(texts[1]), "%.0f/%.0f", pes_us, samples_quantile(pes, 0.99));
        printf("%-14s %8zu %22s %22s %8.2f %11.1f %11.1f\n", contents[i].name, engine->n, texts[0],
               texts[1], pes_us / engine_us, megabytes_per_s(&contents[i], engine_us),
               megabytes_per_s(&contents[i], pes_us));
    }
}

static void write_json(struct bench *bench)
{
    FILE *file = fopen(bench->json, "we");

    if (!file) {
        die("cannot write the JSON file");
    }
    fprintf(file,
            "{\"label\": \"%s\", \"n_rules\": %zu, \"rss_before_kib\": %ld, "
            "\"rss_after_kib\": %ld, \"contents\": [",
            bench->label, engine_n_rules(bench->engine), bench->rss_before_kib,
            bench->rss_after_kib);
    for (size_t i = 0; i < N_CONTENTS && bench->samples[i][COLUMN_PES].n > 0; i++) {
        fprintf(file,
                "%s\n  {\"name\": \"%s\", \"bytes\": %zu, \"n\": %zu, "
                "\"engine_p50_us\": %.1f, \"pes_p50_us\": %.1f}",
                i > 0 ? "," : "", contents[i].name, contents[i].n_bytes,
                bench->samples[i][COLUMN_PES].n,
                samples_quantile(&bench->samples[i][COLUMN_ENGINE], 0.5),
                samples_quantile(&bench->samples[i][COLUMN_PES], 0.5));
    }
    fputs("\n]}\n", file);
    if (fclose(file) != 0) {
        die("cannot write the JSON file");
    }
}

static void parse_options(int argc, char **argv, struct bench *bench)
{
    static const struct option long_options[] = {
        {"label", required_argument, NULL, 'l'},
        {"rules", required_argument, NULL, 'r'},
        {"json", required_argument, NULL, 'j'},
        {"asks", required_argument, NULL, 'a'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'l':
            bench->label = optarg;
            break;
        case 'r':
            bench->rules = optarg;
            break;
        case 'j':
            bench->json = optarg;
            break;
        case 'a':
            bench->n_asks = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            fputs("usage: bench_engine_NAME --rules FOLDER [--asks N] [--label TEXT] "
                  "[--json FILE]\n",
                  stderr);
            exit(2);
        }
    }
    if (!bench->rules) {
        die("--rules is missing");
    }
}

int main(int argc, char **argv)
{
    static struct bench bench = {.label = "engine", .n_asks = 500};

    parse_options(argc, argv, &bench);
    bench.n_packed_max = compressBound(TEXT_MAX) + 64;
    bench.text = malloc(TEXT_MAX);
    bench.packed = malloc(bench.n_packed_max);
    if (!bench.text || !bench.packed) {
        die("out of memory");
    }
    text_fill(bench.text, TEXT_MAX);
    bench.rss_before_kib = rss_kib();
    bench.engine = engine_open(bench.rules);
    if (!bench.engine) {
        die("the engine cannot be loaded in this process");
    }
    bench.scanner = engine_scanner_new(bench.engine);
    bench.rss_after_kib = rss_kib();
    bench.ctx = pes_open("pes-bench", PES_VERSION, 0);
    run(&bench);
    print_table(&bench);
    if (bench.json) {
        write_json(&bench);
    }
    pes_close(bench.ctx);
    engine_scanner_free(bench.scanner);
    engine_close(bench.engine);
    for (size_t i = 0; i < N_CONTENTS; i++) {
        samples_fini(&bench.samples[i][COLUMN_ENGINE]);
        samples_fini(&bench.samples[i][COLUMN_PES]);
    }
    free(bench.packed);
    free(bench.text);
    return 0;
}
