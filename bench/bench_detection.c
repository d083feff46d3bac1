/*
 * bench_detection: what the command provider says about many lines.
 *
 *   bench_detection MODULE RULES < TEXTS
 *
 * TEXTS is JSON lines; each has `id` and `text`. For each, a JSON line comes out: id, worst verdict
 * by name, the rules, the coverage and the microseconds of processor time of one scan after a first
 * one. The module is the real one, loaded without its sandbox; bench/detection makes tables of what
 * it says.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "module_host.h"

/* From harmless to harmful. */
static const struct {
    uint32_t verdict;
    const char *name;
} verdicts[] = {
    {PES_VERDICT_NOT_DETECTED, "not_detected"},
    {PES_VERDICT_UNCOMMON, "uncommon"},
    {PES_VERDICT_SUSPICIOUS, "suspicious"},
    {PES_VERDICT_POTENTIALLY_UNWANTED, "potentially_unwanted"},
    {PES_VERDICT_CREDENTIAL_THEFT, "credential_theft"},
    {PES_VERDICT_DECEPTIVE_INSTRUCTION, "deceptive_instruction"},
    {PES_VERDICT_MALICIOUS, "malicious"},
};

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static size_t rank(uint32_t verdict)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (verdicts[i].verdict == verdict) {
            return i;
        }
    }
    fprintf(stderr, "bench_detection: verdict %u is unknown here\n", verdict);
    exit(1);
}

static int answer(struct module_host *host, const json_t *row)
{
    static struct pes_scan scan;
    const json_t *text = json_object_get(row, "text");
    json_t *rules = json_array();
    json_t *out;
    size_t worst = 0;
    double started;
    double took;

    if (!json_is_string(text)) {
        fprintf(stderr, "bench_detection: a line has no `text`\n");
        return -1;
    }
    module_host_scan(host, &scan, json_string_value(text), json_string_length(text));
    started = now_us();
    module_host_scan(host, &scan, json_string_value(text), json_string_length(text));
    took = now_us() - started;
    for (size_t i = 0; i < scan.n_findings; i++) {
        size_t r = rank(scan.findings[i].verdict);

        worst = r > worst ? r : worst;
        json_array_append_new(rules, json_string(scan.findings[i].detection));
    }
    out =
        json_pack("{s:O, s:s, s:o, s:i, s:f}", "id", json_object_get(row, "id"), "verdict",
                  verdicts[worst].name, "rules", rules, "coverage", (int)scan.coverage, "us", took);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
    return 0;
}

int main(int argc, char **argv)
{
    struct module_host host = {.state = NULL};
    char *line = NULL;
    size_t n_room = 0;
    int r = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_detection MODULE RULES < TEXTS\n");
        return 2;
    }
    module_host_open(&host, argv[1]);
    if (module_host_load(&host, argv[2], NULL) < 0) {
        fprintf(stderr, "bench_detection: %s\n", host.load.failure);
        return 1;
    }
    while (r == 0 && getline(&line, &n_room, stdin) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, JSON_ALLOW_NUL, &error);

        if (!row) {
            fprintf(stderr, "bench_detection: %s\n", error.text);
            r = -1;
            break;
        }
        r = answer(&host, row);
        json_decref(row);
    }
    free(line);
    return r < 0 ? 1 : 0;
}
