/*
 * checks: what every provider must do, whatever it looks for.
 *
 * Each check is a function that asks questions and says what it saw. Common to all: a question gets
 * an answer, and by its own count the provider has examined what it could have. A provider that
 * hangs or dies fails the check in which it did, gets a new worker, and goes on; after a few
 * time-outs the rest is given up, and counted as failed.
 *
 * What is not checked is whether a provider finds what it should: that is what its own samples are
 * for, which pes-host has asked about before the provider is said to be ready. Who brings none has
 * proven nothing, and that is what is said. Left out, too, is what pes-host does not let a module
 * say at all, such as more bytes examined than there are.
 */
#include "provider-check/checks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "provider-check/contents.h"
#include "wire/name_table.h"
#include "wire/names.h"

#define TIMEOUTS_MAX      3
#define LARGE_BYTES       (10u << 20)
#define LARGE_TIMEOUT_MS  60000
#define SHORT_TIME_MS     30
#define N_MUTATIONS       200
#define N_REPEATED        63 /* odd, so that what takes turns shows in the second round */
#define N_GROWTH_BEFORE   200
#define N_GROWTH          2000
#define GROWTH_KIB_MAX    2048
#define FEW_BYTES         64u /* so many can always be examined in full */
#define PROGRAM_BYTES_MAX (4u << 20)
#define UNKNOWN_FIELD     4000000u

struct suite {
    struct subject *subject;
    const struct subject_options *options;
    struct check_report *report;
    struct check_result *current;
    struct reply reply;
    uint8_t *large; /* LARGE_BYTES of noise, shared by the checks */
    uint8_t *zeros;
};

__attribute__((format(printf, 2, 3))) static bool say(struct suite *suite, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(suite->current->detail, sizeof(suite->current->detail), format, args);
    va_end(args);
    return true;
}

#define FAIL(suite, ...) (!say((suite), __VA_ARGS__))

/* Whether an answer is one that a provider may give to that many bytes. */
static bool is_fair(struct suite *suite, const char *about, size_t n_bytes)
{
    const struct wire_result *result = &suite->reply.frame.result;

    if (suite->reply.how != REPLY_ANSWER) {
        return FAIL(suite, "%s: %s", about, suite->reply.reason);
    }
    /* The host makes this of full coverage with fewer bytes, too. */
    if (result->coverage == PES_COVERAGE_PARTIAL_SIZE && n_bytes <= FEW_BYTES) {
        return FAIL(suite, "%s: examined only %llu bytes of %zu, by its own count", about,
                    (unsigned long long)result->bytes_examined, n_bytes);
    }
    if (result->verdict == PES_VERDICT_KNOWN_GOOD && n_bytes > 0) {
        return FAIL(suite, "%s: called known good, which nobody can know", about);
    }
    return true;
}

static bool ask(struct suite *suite, const char *about, const struct question *question)
{
    subject_ask(suite->subject, question, &suite->reply);
    return is_fair(suite, about, question->n_bytes);
}

static bool ask_bytes(struct suite *suite, const char *about, const void *bytes, size_t n_bytes)
{
    return ask(suite, about, &(struct question){.bytes = bytes, .n_bytes = n_bytes});
}

/* ---- it and itself ---- */

static bool check_describes(struct suite *suite)
{
    const struct subject *subject = suite->subject;
    size_t n = strlen(subject->name);

    for (size_t i = 0; i < n; i++) {
        if (!islower((unsigned char)subject->name[i]) &&
            !isdigit((unsigned char)subject->name[i]) && subject->name[i] != '-') {
            return FAIL(suite, "name '%s' is not of [a-z0-9-]", subject->name);
        }
    }
    if (n == 0 || n > 32) {
        return FAIL(suite, "name has %zu characters, 1 to 32 are allowed", n);
    }
    if (subject->version[0] == '\0' || strlen(subject->version) > 63) {
        return FAIL(suite, "version has %zu characters, 1 to 63 are allowed",
                    strlen(subject->version));
    }
    if (subject->n_kinds == 0) {
        return FAIL(suite, "it declares no kind that this version knows");
    }
    return say(suite, "%s %s, %zu kinds", subject->name, subject->version, subject->n_kinds);
}

/* The host has asked about each sample before the provider is ready. */
static bool check_self_test(struct suite *suite)
{
    uint32_t n = suite->subject->n_samples;

    if (n == 0) {
        suite->current->is_unproven = true;
        return FAIL(suite, "no samples: nothing proven");
    }
    return say(suite, "found its %u sample%s while loading", n, n == 1 ? "" : "s");
}

/* Any content may be one that a provider cannot judge. One that can judge none does not look. */
static bool check_looks(struct suite *suite)
{
    const struct subject *subject = suite->subject;
    const struct wire_result *result = &suite->reply.frame.result;
    size_t n_examined = 0;

    for (size_t i = 0; i < n_clean_contents; i++) {
        const struct clean_content *content = &clean_contents[i];
        struct question question = {.kind = subject->kinds[i % subject->n_kinds],
                                    .bytes = content->bytes,
                                    .n_bytes = content->n_bytes};

        if (!ask(suite, content->name, &question)) {
            return false;
        }
        n_examined += result->verdict != PES_VERDICT_NONE &&
                      result->coverage != PES_COVERAGE_NONE &&
                      result->coverage != PES_COVERAGE_NOT_EXAMINED;
    }
    if (n_examined == 0) {
        return FAIL(suite, "examined none of %zu everyday contents", n_clean_contents);
    }
    return say(suite, "examined %zu of %zu everyday contents", n_examined, n_clean_contents);
}

/* ---- contents of all sizes ---- */

static bool check_sizes(struct suite *suite, const size_t *sizes, size_t n_sizes, int timeout_ms)
{
    uint64_t worst_us = 0;
    char about[48];

    for (size_t i = 0; i < n_sizes; i++) {
        struct question question = {
            .bytes = suite->large, .n_bytes = sizes[i], .timeout_ms = timeout_ms};

        for (int zeros = 0; zeros < 2; zeros++) {
            question.bytes = zeros ? suite->zeros : suite->large;
            snprintf(about, sizeof(about), "%zu bytes of %s", sizes[i], zeros ? "zero" : "noise");
            if (!ask(suite, about, &question)) {
                return false;
            }
            worst_us = suite->reply.wall_us > worst_us ? suite->reply.wall_us : worst_us;
        }
    }
    return say(suite, "slowest %llu us", (unsigned long long)worst_us);
}

static bool check_no_bytes(struct suite *suite)
{
    return check_sizes(suite, (const size_t[]){0}, 1, 0);
}

static bool check_small(struct suite *suite)
{
    return check_sizes(suite, (const size_t[]){1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64}, 12, 0);
}

/* Content ends where a page ends: a byte read too far is a crash. */
static bool check_page_edges(struct suite *suite)
{
    return check_sizes(suite, (const size_t[]){4095, 4096, 4097, 8192, 65535, 65536, 65537}, 7, 0);
}

/* Content up to 32 KiB comes in the message, longer content in sealed memory. */
static bool check_inline_edges(struct suite *suite)
{
    return check_sizes(suite,
                       (const size_t[]){WIRE_INLINE_BYTES_MAX - 1, WIRE_INLINE_BYTES_MAX,
                                        WIRE_INLINE_BYTES_MAX + 1, 36864},
                       4, 0);
}

static bool check_large(struct suite *suite)
{
    return check_sizes(suite, (const size_t[]){LARGE_BYTES}, 1, LARGE_TIMEOUT_MS);
}

/* ---- kinds and context ---- */

static bool check_kinds(struct suite *suite)
{
    const struct subject *subject = suite->subject;

    for (size_t i = 0; i < subject->n_kinds; i++) {
        const struct kind_info *kind = kind_by_number(subject->kinds[i]);
        const struct clean_content *content = &clean_contents[i % n_clean_contents];
        struct question question = {
            .kind = subject->kinds[i], .bytes = content->bytes, .n_bytes = content->n_bytes};

        if (!kind) {
            return FAIL(suite, "declares kind %u, which does not exist", subject->kinds[i]);
        }
        if (!ask(suite, kind->name, &question)) {
            return false;
        }
    }
    return say(suite, "%zu kinds", subject->n_kinds);
}

#define N_HOSTILE_ITEMS 64

static bool check_hostile_context(struct suite *suite)
{
    static const char nasty[] =
        "a\nb\0c\r\x1b[31m\xe2\x80\xae\xff\xfe%s%n../../../etc/passwd'\"`$(x)";
    static uint8_t text[4096];
    static struct wire_item items[N_HOSTILE_ITEMS];
    struct question question = {.bytes = "x", .n_bytes = 1, .context = items, .n_context = 1};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)nasty[i % sizeof(nasty)];
    }
    items[0] = (struct wire_item){.field = PES_SUBJECT_PATH, .text = {text, sizeof(text)}};
    if (!ask(suite, "a path of 4096 bytes", &question)) {
        return false;
    }
    for (size_t i = 0; i < wire_n_fields && n < N_HOSTILE_ITEMS; i++) {
        items[n++] = (struct wire_item){
            .field = wire_fields[i].number,
            .text = {text, wire_fields[i].type == FIELD_TEXT ? 400 : 0},
            .value = wire_fields[i].type == FIELD_TEXT ? 0 : UINT64_MAX,
        };
    }
    while (n < N_HOSTILE_ITEMS) {
        items[n] = items[n % 8];
        n++;
    }
    question.n_context = n;
    return ask(suite, "64 items of control characters", &question) && say(suite, "%zu items", n);
}

static bool check_unknown_fields(struct suite *suite)
{
    static struct wire_item items[8];
    struct question question = {.bytes = "x", .n_bytes = 1, .context = items, .n_context = 8};

    for (uint32_t i = 0; i < 8; i++) {
        items[i] = (struct wire_item){
            .field = UNKNOWN_FIELD + i, .text = {(const uint8_t *)"later", 5}, .value = i};
    }
    return ask(suite, "fields of a later version", &question) && say(suite, "8 fields");
}

/* ---- time and memory ---- */

/* It may answer in time or be ended; either way the next question must be answered. */
static bool check_deadline(struct suite *suite)
{
    struct subject *subject = suite->subject;
    struct question question = {
        .bytes = suite->large, .n_bytes = LARGE_BYTES, .timeout_ms = SHORT_TIME_MS};
    size_t n_timeouts = subject->n_timeouts;
    const char *coverage;

    subject_ask(subject, &question, &suite->reply);
    if (suite->reply.how == REPLY_TIMEOUT) {
        subject->n_timeouts = n_timeouts; /* asked for, so not held against it */
        return ask_bytes(suite, "the question after", "x", 1) &&
               say(suite, "was ended after %d ms; the next question was answered", SHORT_TIME_MS);
    }
    if (!is_fair(suite, "10 MiB in 30 ms", LARGE_BYTES)) {
        return false;
    }
    coverage = name_of(&wire_coverage_names, suite->reply.frame.result.coverage);
    return say(suite, "answered in %llu us, coverage %s", (unsigned long long)suite->reply.wall_us,
               coverage ? coverage : "unknown");
}

/* Everything that was said, without what may differ from time to time. */
static bool canonical(struct suite *suite, uint8_t ret_bytes[WIRE_RESULT_BYTES_MAX],
                      size_t *ret_n_bytes)
{
    struct wire_result *result = &suite->reply.frame.result;

    result->id = 0;
    result->cpu_us = 0;
    return wire_encode(WIRE_TYPE_RESULT, result, ret_bytes, WIRE_RESULT_BYTES_MAX, ret_n_bytes) ==
           0;
}

struct canonical_row {
    uint8_t bytes[WIRE_RESULT_BYTES_MAX];
    size_t n_bytes;
};

static bool repeat_round(struct suite *suite, struct canonical_row *rows, bool is_first)
{
    static uint8_t mutation[MUTATION_BYTES_MAX];
    static uint8_t bytes[WIRE_RESULT_BYTES_MAX];

    for (size_t i = 0; i < N_REPEATED; i++) {
        const struct clean_content *content = &clean_contents[i % n_clean_contents];
        bool is_whole = i < n_clean_contents;
        size_t n = is_whole ? content->n_bytes : content_mutate(i, mutation);
        size_t n_bytes;

        if (!ask_bytes(suite, content->name, is_whole ? content->bytes : mutation, n)) {
            return false;
        }
        if (!canonical(suite, bytes, &n_bytes)) {
            return FAIL(suite, "%s: the answer cannot be written", content->name);
        }
        if (!is_first &&
            (rows[i].n_bytes != n_bytes || memcmp(rows[i].bytes, bytes, n_bytes) != 0)) {
            return FAIL(suite, "%s%s: another answer than before", is_whole ? "" : "damaged ",
                        content->name);
        }
        memcpy(rows[i].bytes, bytes, n_bytes);
        rows[i].n_bytes = n_bytes;
    }
    return true;
}

static bool check_same_answers(struct suite *suite)
{
    CLEANUP(freep) struct canonical_row *rows = calloc(N_REPEATED, sizeof(*rows));

    if (!rows) {
        return FAIL(suite, "out of memory");
    }
    if (!repeat_round(suite, rows, true) || !repeat_round(suite, rows, false)) {
        return false;
    }
    (void)subject_end_worker(suite->subject);
    return repeat_round(suite, rows, false) &&
           say(suite, "%d contents, twice in one worker and once in another", N_REPEATED);
}

static bool rounds(struct suite *suite, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct clean_content *content = &clean_contents[i % n_clean_contents];

        if (!ask_bytes(suite, content->name, content->bytes, content->n_bytes)) {
            return false;
        }
    }
    return true;
}

/* Two workers' lives of different length, so that what the first questions need is not counted. */
static bool check_no_growth(struct suite *suite)
{
    uint64_t before_kib;
    uint64_t after_kib;

    (void)subject_end_worker(suite->subject);
    if (!rounds(suite, N_GROWTH_BEFORE)) {
        return false;
    }
    before_kib = subject_end_worker(suite->subject);
    if (!rounds(suite, N_GROWTH_BEFORE + N_GROWTH)) {
        return false;
    }
    after_kib = subject_end_worker(suite->subject);
    if (after_kib > before_kib + GROWTH_KIB_MAX) {
        return FAIL(suite, "%llu KiB more after %d scans; %d are allowed",
                    (unsigned long long)(after_kib - before_kib), N_GROWTH, GROWTH_KIB_MAX);
    }
    return say(suite, "%llu KiB before, %llu after %d scans", (unsigned long long)before_kib,
               (unsigned long long)after_kib, N_GROWTH);
}

/* ---- hostile and clean ---- */

static bool check_mutations(struct suite *suite)
{
    static uint8_t bytes[MUTATION_BYTES_MAX];
    char about[48];

    for (uint64_t i = 0; i < N_MUTATIONS; i++) {
        size_t n = content_mutate(i, bytes);

        snprintf(about, sizeof(about), "mutation %llu", (unsigned long long)i);
        if (!ask_bytes(suite, about, bytes, n)) {
            return false;
        }
    }
    return say(suite, "%d contents", N_MUTATIONS);
}

/* Counts what was found in something clean, and keeps the name of the first. */
static void count_findings(struct suite *suite, const char *about)
{
    const struct wire_result *result = &suite->reply.frame.result;
    const struct wire_bytes *detection = &result->findings[0].detection;

    if (result->n_findings > 0 && suite->report->n_clean_findings == 0) {
        say(suite, "found %.*s in %s", (int)detection->size, (const char *)detection->data, about);
    }
    suite->report->n_clean_findings += result->n_findings;
}

static bool ask_program(struct suite *suite, const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *bytes;
    bool is_ok;
    size_t n;

    if (fd < 0 || fstat(fd, &info) < 0 || info.st_size == 0) {
        return FAIL(suite, "%s: %s", path, strerror(errno));
    }
    n = (size_t)info.st_size < PROGRAM_BYTES_MAX ? (size_t)info.st_size : PROGRAM_BYTES_MAX;
    bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return FAIL(suite, "%s: %s", path, strerror(errno));
    }
    is_ok = ask(suite, path,
                &(struct question){.bytes = bytes, .n_bytes = n, .timeout_ms = LARGE_TIMEOUT_MS});
    munmap(bytes, n);
    return is_ok;
}

static bool check_clean_set(struct suite *suite)
{
    const char *const programs[] = {suite->options->init_path, suite->options->host_path};

    for (size_t i = 0; i < n_clean_contents; i++) {
        const struct clean_content *content = &clean_contents[i];

        if (!ask_bytes(suite, content->name, content->bytes, content->n_bytes)) {
            return false;
        }
        count_findings(suite, content->name);
    }
    for (size_t i = 0; i < 2; i++) {
        if (!ask_program(suite, programs[i])) {
            return false;
        }
        count_findings(suite, programs[i]);
    }
    if (suite->report->n_clean_findings > 0) {
        return false;
    }
    return say(suite, "%zu texts, 2 programs", n_clean_contents);
}

static bool check_survives(struct suite *suite)
{
    const struct subject *subject = suite->subject;

    if (subject->n_crashes + subject->n_timeouts > 0) {
        return FAIL(suite, "%zu crashes, %zu time-outs in %zu questions", subject->n_crashes,
                    subject->n_timeouts, subject->n_questions);
    }
    return ask_bytes(suite, "one question more", "x", 1) &&
           say(suite, "%zu questions", subject->n_questions);
}

/* ---- the whole suite ---- */

struct check {
    const char *name;
    bool (*run)(struct suite *suite);
};

static const struct check checks[] = {
    {"describes-itself", check_describes},
    {"self-test", check_self_test},
    {"looks", check_looks},
    {"no-bytes", check_no_bytes},
    {"few-bytes", check_small},
    {"page-edges", check_page_edges},
    {"inline-edges", check_inline_edges},
    {"large", check_large},
    {"every-kind", check_kinds},
    {"hostile-context", check_hostile_context},
    {"unknown-fields", check_unknown_fields},
    {"deadline", check_deadline},
    {"same-answers", check_same_answers},
    {"mutations", check_mutations},
    {"no-growth", check_no_growth},
    {"clean-set", check_clean_set},
    {"survives", check_survives},
};

static struct check_result *result_add(struct check_report *report, const char *name)
{
    struct check_result *result = &report->results[report->n_results++];

    *result = (struct check_result){.name = name};
    return result;
}

static void check_run(struct suite *suite, const struct check *check)
{
    struct subject *subject = suite->subject;

    suite->current = result_add(suite->report, check->name);
    if (!subject->is_running) {
        say(suite, "not run: the provider does not run any more");
    } else if (subject->n_timeouts >= TIMEOUTS_MAX) {
        say(suite, "not run: given up after %d time-outs", TIMEOUTS_MAX);
    } else {
        suite->current->was_run = true;
        suite->current->is_ok = check->run(suite);
    }
    suite->report->n_not_run += suite->current->was_run ? 0 : 1;
    suite->report->n_unproven += suite->current->is_unproven ? 1 : 0;
    suite->report->n_failed += suite->current->is_ok || suite->current->is_unproven ? 0 : 1;
}

static int suite_start(struct suite *suite)
{
    char reason[SUBJECT_TEXT_BYTES] = "";
    int r;

    suite->current = result_add(suite->report, "loads");
    r = subject_start(suite->subject, suite->options, reason);
    if (r < -1) {
        return r;
    }
    suite->current->was_run = true;
    suite->current->is_ok = r == 0;
    suite->report->n_failed += r == 0 ? 0 : 1;
    say(suite, "%s", r == 0 ? suite->subject->note : reason);
    return 0;
}

int checks_run(struct subject *subject, const struct subject_options *options,
               struct check_report *ret_report)
{
    CLEANUP(freep) uint8_t *large = malloc(LARGE_BYTES);
    CLEANUP(freep) uint8_t *zeros = calloc(1, LARGE_BYTES);
    CLEANUP(freep) struct suite *suite = calloc(1, sizeof(*suite));
    int r;

    if (!large || !zeros || !suite) {
        return -ENOMEM;
    }
    content_noise(large, LARGE_BYTES, 1);
    *ret_report = (struct check_report){.n_results = 0};
    suite->subject = subject;
    suite->options = options;
    suite->report = ret_report;
    suite->large = large;
    suite->zeros = zeros;
    r = suite_start(suite);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        check_run(suite, &checks[i]);
    }
    (void)subject_end_worker(subject);
    return 0;
}
