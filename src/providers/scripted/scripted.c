/*
 * scripted: does what the content tells it to. For tests; never installed.
 *
 * Every line with `PES-SCRIPT:` in it is a list of commands, separated by `;`:
 *
 *   found NAME VERDICT   a finding                 coverage NAME     states this coverage
 *   decoded TEXT         a decoded view            text NUMBER       shows this context field
 *   flood N              N findings                odd               findings out of all bounds
 *   lie                  known_good, over-covered  fail              scan() returns -1
 *   sleep MS             answers late              sleep-dist MS MS  the same, evenly distributed
 *   hang                 sleeps for ever           spin              computes for ever
 *   leak MIB             takes memory and keeps it leak-kib KIB      the same in smaller steps
 *   fickle               finds something every other time
 *   log N                N lines on standard error
 *   crash SIGNAL         dies by it                exit STATUS       ends
 *   forbidden            a forbidden system call   garbage           writes into every descriptor
 *
 * `@NAME command` is obeyed only by the instance with option `only = NAME`, which obeys nothing
 * else. Further options: `always = COMMANDS` for every content, `version = TEXT` for the
 * definitions, `load = fail`, `load = hang`, `load = crash SIGNAL`, `selftest = fail`,
 * `hold = MIB` of memory as definitions take it, and `crash-at = N`, which makes each worker die
 * of its scan number N.
 * Without a command it finds nothing, with full coverage. What follows a command that ends the
 * worker is not reached. A command that is not known is a finding called Unknown-Command, so that a
 * misspelt test fails.
 */
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pes/provider.h>

#define COMMAND_BYTES 512
#define MARK          "PES-SCRIPT:"

struct scripted {
    char *only;
    char *always;
    uint64_t random;
    uint64_t n_fickle;
    uint64_t n_scans;
    uint64_t crash_at; /* 0: never */
    struct pes_sample sample;
};

struct run {
    struct scripted *scripted;
    struct pes_scan *scan;
    int result;
};

struct number_name {
    const char *name;
    uint32_t number;
};

static const struct number_name verdicts[] = {
    {"known_good", PES_VERDICT_KNOWN_GOOD},
    {"not_detected", PES_VERDICT_NOT_DETECTED},
    {"uncommon", PES_VERDICT_UNCOMMON},
    {"suspicious", PES_VERDICT_SUSPICIOUS},
    {"potentially_unwanted", PES_VERDICT_POTENTIALLY_UNWANTED},
    {"exploit_attempt", PES_VERDICT_EXPLOIT_ATTEMPT},
    {"malicious_source", PES_VERDICT_MALICIOUS_SOURCE},
    {"credential_theft", PES_VERDICT_CREDENTIAL_THEFT},
    {"deceptive_instruction", PES_VERDICT_DECEPTIVE_INSTRUCTION},
    {"sensitive_data", PES_VERDICT_SENSITIVE_DATA},
    {"policy_forbidden", PES_VERDICT_POLICY_FORBIDDEN},
    {"malicious", PES_VERDICT_MALICIOUS},
    {"test_sample", PES_VERDICT_TEST_SAMPLE},
    {"no_opinion", PES_VERDICT_NO_OPINION},
    {NULL, 0},
};

static const struct number_name coverages[] = {
    {"none", PES_COVERAGE_NONE},
    {"full", PES_COVERAGE_FULL},
    {"partial_size", PES_COVERAGE_PARTIAL_SIZE},
    {"partial_depth", PES_COVERAGE_PARTIAL_DEPTH},
    {"partial_time", PES_COVERAGE_PARTIAL_TIME},
    {"encrypted", PES_COVERAGE_ENCRYPTED},
    {"too_large", PES_COVERAGE_TOO_LARGE},
    {"too_small", PES_COVERAGE_TOO_SMALL},
    {"malformed", PES_COVERAGE_MALFORMED},
    {"unsupported", PES_COVERAGE_UNSUPPORTED},
    {"hash_only", PES_COVERAGE_HASH_ONLY},
    {"metadata_only", PES_COVERAGE_METADATA_ONLY},
    {"not_examined", PES_COVERAGE_NOT_EXAMINED},
    {NULL, 0},
};

static const struct number_name signals[] = {
    {"SEGV", SIGSEGV}, {"ABRT", SIGABRT}, {"BUS", SIGBUS},   {"FPE", SIGFPE},
    {"ILL", SIGILL},   {"SYS", SIGSYS},   {"TRAP", SIGTRAP}, {"TERM", SIGTERM},
    {"KILL", SIGKILL}, {"XCPU", SIGXCPU}, {"PIPE", SIGPIPE}, {"HUP", SIGHUP},
    {"INT", SIGINT},   {"USR1", SIGUSR1}, {"ALRM", SIGALRM}, {NULL, 0},
};

static uint32_t name_number(const struct number_name *table, const char *name, uint32_t otherwise)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name) == 0) {
            return table->number;
        }
    }
    return otherwise;
}

static void find(struct run *run, const char *name, uint32_t verdict)
{
    const struct pes_found found = {
        .size_bytes = sizeof(found),
        .verdict = verdict,
        .severity = PES_SEVERITY_MEDIUM,
        .confidence = 50,
        .detection = name,
        .family = "Scripted",
        .rule_id = name,
    };
    size_t n_bytes;

    (void)pes_scan_bytes(run->scan, &n_bytes);
    pes_scan_evidence(run->scan, pes_scan_find(run->scan, &found), 0, n_bytes, "script");
}

static void command_found(struct run *run, char *words)
{
    char *name = strsep(&words, " ");

    find(run, name, name_number(verdicts, words ? words : "malicious", PES_VERDICT_MALICIOUS));
}

static void command_coverage(struct run *run, char *words)
{
    size_t n_bytes;

    (void)pes_scan_bytes(run->scan, &n_bytes);
    pes_scan_coverage(run->scan, name_number(coverages, words, PES_COVERAGE_NOT_EXAMINED),
                      n_bytes / 2);
}

static void command_decoded(struct run *run, char *words)
{
    pes_scan_decoded(run->scan, words, strlen(words));
}

static void command_text(struct run *run, char *words)
{
    size_t n_text = 0;
    const char *text = pes_scan_text(run->scan, (uint32_t)strtoul(words, NULL, 10), &n_text);

    if (text) {
        pes_scan_decoded(run->scan, text, n_text);
    }
}

static void command_flood(struct run *run, char *words)
{
    unsigned long n = strtoul(words, NULL, 10);
    char name[32];

    for (unsigned long i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "Flood.%lu", i);
        find(run, name, PES_VERDICT_SUSPICIOUS);
    }
}

static void command_odd(struct run *run, char *words)
{
    char huge[4096];
    struct pes_found found = {
        .size_bytes = sizeof(found),
        .verdict = UINT32_MAX,
        .severity = UINT32_MAX,
        .confidence = UINT32_MAX,
        .advice = UINT32_MAX,
        .detection = "Odd\n\033[31m\xe2\x80\xae\xff name",
        .family = huge,
        .rule_id = huge,
        .technique = huge,
    };
    int finding;

    memset(huge, 'A', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    finding = pes_scan_find(run->scan, &found);
    pes_scan_evidence(run->scan, finding, UINT64_MAX, UINT64_MAX, huge);
    pes_scan_evidence(run->scan, INT_MAX, 0, 1, NULL);
    found.detection = "";
    found.verdict = PES_VERDICT_NONE;
    (void)pes_scan_find(run->scan, &found);
    found.detection = NULL;
    (void)pes_scan_find(run->scan, &found);
    pes_scan_coverage(run->scan, UINT32_MAX, UINT64_MAX);
}

static void command_lie(struct run *run, char *words)
{
    pes_scan_verdict(run->scan, PES_VERDICT_KNOWN_GOOD);
    pes_scan_coverage(run->scan, PES_COVERAGE_FULL, UINT64_MAX);
}

static void command_fail(struct run *run, char *words)
{
    run->result = -1;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0) {
    }
}

static void command_sleep(struct run *run, char *words)
{
    sleep_ms(strtoull(words, NULL, 10));
}

/* xorshift64*: the same row of delays in every run. */
static void command_sleep_dist(struct run *run, char *words)
{
    char *rest;
    uint64_t low = strtoull(words, &rest, 10);
    uint64_t high = strtoull(rest, NULL, 10);
    uint64_t *x = &run->scripted->random;

    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    sleep_ms(high > low ? low + (*x * 2685821657736338717u >> 32) % (high - low + 1) : low);
}

static void command_hang(struct run *run, char *words)
{
    for (;;) {
        sleep_ms(1000);
    }
}

static void command_spin(struct run *run, char *words)
{
    for (volatile uint64_t i = 0;; i++) {
    }
}

/* Each page is written by hand: a compiler may leave out a memset() of what nobody reads. */
static bool leak(size_t n_bytes)
{
    volatile char *kept = malloc(n_bytes);

    for (size_t i = 0; kept && i < n_bytes; i += 1024) {
        kept[i] = 0x5a;
    }
    return kept != NULL;
}

static void command_leak(struct run *run, char *words)
{
    leak(strtoul(words, NULL, 10) << 20);
}

static void command_leak_kib(struct run *run, char *words)
{
    leak(strtoul(words, NULL, 10) << 10);
}

static void command_fickle(struct run *run, char *words)
{
    if (run->scripted->n_fickle++ % 2 == 1) {
        find(run, "Fickle", PES_VERDICT_SUSPICIOUS);
    }
}

static void command_log(struct run *run, char *words)
{
    unsigned long n = strtoul(words, NULL, 10);

    for (unsigned long i = 0; i < n; i++) {
        dprintf(STDERR_FILENO, "line %lu \033[31mred\033[0m\n", i);
    }
}

/* SEGV, ILL and FPE come from the processor, as they would in a real engine; others are sent. */
__attribute__((no_sanitize("undefined", "address"))) static void die(int signo)
{
    volatile int zero = 0;
    int *volatile nowhere = NULL;

    signal(signo, SIG_DFL);
    if (signo == SIGSEGV) {
        *nowhere = 1;
    }
    if (signo == SIGILL) {
        __builtin_trap();
    }
    if (signo == SIGFPE) {
        zero = 1 / zero;
    }
    if (signo == SIGABRT) {
        abort();
    }
    raise(signo);
}

static void command_crash(struct run *run, char *words)
{
    const char *name = strsep(&words, " "); /* what follows makes contents differ */
    int signo = (int)name_number(signals, name, 0);

    if (signo == 0) {
        find(run, "Unknown-Command", PES_VERDICT_SUSPICIOUS);
        return;
    }
    die(signo);
}

static void command_exit(struct run *run, char *words)
{
    _exit((int)strtol(words, NULL, 10));
}

static void command_forbidden(struct run *run, char *words)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    find(run, fd < 0 ? "Forbidden-Refused" : "Forbidden-Allowed", PES_VERDICT_MALICIOUS);
}

/* What a module could do that has found out how it is talked to. */
static void command_garbage(struct run *run, char *words)
{
    static const char junk[] = "\xff\xff\xff\xff this is not a message";

    for (int fd = 3; fd < 64; fd++) {
        ssize_t n = write(fd, junk, sizeof(junk));

        (void)n;
    }
}

struct command {
    const char *name;
    void (*run)(struct run *run, char *words);
};

static const struct command commands[] = {
    {"found", command_found},
    {"coverage", command_coverage},
    {"decoded", command_decoded},
    {"text", command_text},
    {"flood", command_flood},
    {"odd", command_odd},
    {"lie", command_lie},
    {"fail", command_fail},
    {"sleep", command_sleep},
    {"sleep-dist", command_sleep_dist},
    {"hang", command_hang},
    {"spin", command_spin},
    {"leak", command_leak},
    {"leak-kib", command_leak_kib},
    {"fickle", command_fickle},
    {"log", command_log},
    {"crash", command_crash},
    {"exit", command_exit},
    {"forbidden", command_forbidden},
    {"garbage", command_garbage},
};

static void command_run(struct run *run, char *text)
{
    const char *only = run->scripted->only;
    char *words = text + strspn(text, " \t");
    char *name;

    for (size_t n = strlen(words); n > 0 && strchr(" \t\r", words[n - 1]); n--) {
        words[n - 1] = '\0';
    }
    if (*words == '\0' || (only != NULL) != (*words == '@')) {
        return;
    }
    if (*words == '@') {
        name = strsep(&words, " ");
        if (!words || strcmp(name + 1, only) != 0) {
            return;
        }
    }
    name = strsep(&words, " ");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run(run, words ? words : (char[]){""});
            return;
        }
    }
    find(run, "Unknown-Command", PES_VERDICT_MALICIOUS);
}

/* A line is copied piece by piece: the content is read-only and not terminated. */
static void line_run(struct run *run, const char *line, size_t n_line)
{
    const char *end = line + n_line;

    while (line < end) {
        const char *stop = memchr(line, ';', (size_t)(end - line));
        size_t n = (size_t)((stop ? stop : end) - line);
        char text[COMMAND_BYTES];

        snprintf(text, sizeof(text), "%.*s", (int)n, line);
        command_run(run, text);
        line += n + 1;
    }
}

/* The sample proves that it serves at all, so that `always` is left out for it. */
static bool is_sample(const struct scripted *scripted, const char *bytes, size_t n_bytes)
{
    return n_bytes == scripted->sample.n_bytes &&
           memcmp(bytes, scripted->sample.bytes, n_bytes) == 0;
}

static int scripted_scan(void *state, struct pes_scan *scan)
{
    struct run run = {.scripted = state, .scan = scan};
    size_t n_bytes;
    const char *bytes = (const char *)pes_scan_bytes(scan, &n_bytes);
    const char *end = bytes + n_bytes;

    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    if (++run.scripted->n_scans == run.scripted->crash_at) {
        die(SIGSEGV);
    }
    if (run.scripted->always && !is_sample(run.scripted, bytes, n_bytes)) {
        char *only = run.scripted->only;

        run.scripted->only = NULL;
        line_run(&run, run.scripted->always, strlen(run.scripted->always));
        run.scripted->only = only;
    }
    for (;;) {
        const char *line = memmem(bytes, (size_t)(end - bytes), MARK, strlen(MARK));
        const char *stop;

        if (!line) {
            return run.result;
        }
        line += strlen(MARK);
        stop = memchr(line, '\n', (size_t)(end - line));
        bytes = stop ? stop : end;
        line_run(&run, line, (size_t)(bytes - line));
    }
}

/* Tests in one process load it more than once. */
static void option_take(struct pes_load *load, const char *name, char **value)
{
    const char *given = pes_load_option(load, name);

    free(*value);
    *value = given ? strdup(given) : NULL;
}

static int scripted_load(struct pes_load *load, void **ret_state)
{
    static const char sample[] = MARK " found Scripted-Sample test_sample";
    static const char addressed[] = MARK " @%s found Scripted-Sample test_sample";
    static struct scripted scripted;
    static char text[COMMAND_BYTES];
    const char *how = pes_load_option(load, "load");
    const char *selftest = pes_load_option(load, "selftest");
    const char *version = pes_load_option(load, "version");
    const char *crash_at = pes_load_option(load, "crash-at");
    const char *hold = pes_load_option(load, "hold");

    if (how && strcmp(how, "fail") == 0) {
        pes_load_fail(load, "told to fail; remove the option `load = fail`");
        return -1;
    }
    if (how && strcmp(how, "hang") == 0) {
        command_hang(NULL, NULL);
    }
    if (how && strncmp(how, "crash ", 6) == 0) {
        die((int)name_number(signals, how + 6, SIGSEGV));
    }
    if (hold && !leak(strtoul(hold, NULL, 10) << 20)) {
        pes_load_fail(load, "no memory to hold");
        return -1;
    }
    option_take(load, "only", &scripted.only);
    option_take(load, "always", &scripted.always);
    scripted.n_scans = 0;
    scripted.crash_at = crash_at ? strtoull(crash_at, NULL, 10) : 0;
    scripted.random = 0x9e3779b97f4a7c15;
    snprintf(text, sizeof(text), scripted.only ? addressed : sample, scripted.only);
    scripted.sample = (struct pes_sample){
        .kind = PES_KIND_GENERIC,
        .verdict = PES_VERDICT_TEST_SAMPLE,
        .bytes = text,
        .n_bytes = strlen(text),
    };
    if (selftest && strcmp(selftest, "fail") == 0) {
        scripted.sample.verdict = PES_VERDICT_MALICIOUS;
    }
    pes_load_version(load, version ? version : "1");
    *ret_state = &scripted;
    return 0;
}

static size_t scripted_samples(void *state, const struct pes_sample **ret_samples)
{
    const struct scripted *scripted = state;

    *ret_samples = &scripted->sample;
    return 1;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"*", NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "scripted",
        .version = PES_VERSION,
        .kinds = kinds,
        .load = scripted_load,
        .scan = scripted_scan,
        .samples = scripted_samples,
    };

    return &provider;
}
