/*
 * ask_lines: asks about each line of its standard input through libpes alone, one after the other.
 *
 *   ask_lines TIMEOUT_MS
 *
 * A row for each on standard output, of words:
 *
 *   WALL_US ERROR VERDICT COVERAGE DECIDED_BY [PROVIDER:STATUS:SIGNAL:VERDICT ...]
 *
 * WALL_US is what the application sees, from before the request is made until the answer is there;
 * ERROR is 0 or a negative PES_E_*. Nothing is tried again here: each row is one question.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pes/pes.h>

#define LINE_BYTES 65536

static long long now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void print_parts(const struct pes_answer *answer, uint32_t n_parts)
{
    for (uint32_t i = 0; i < n_parts; i++) {
        struct pes_part part = {.size_bytes = sizeof(part)};

        pes_answer_part(answer, i, &part);
        printf(" %s:%s:%s:%s", part.name, pes_status_name(part.status),
               part.signal ? pes_signal_name(part.signal) : "-", pes_verdict_name(part.verdict));
    }
}

static void ask(struct pes_ctx *ctx, const char *text, uint32_t timeout_ms)
{
    long long start_us = now_us();
    struct pes_request *request = pes_request_new(ctx, PES_KIND_COMMAND_PASTED);
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_answer *answer;
    long long wall_us;

    pes_request_bytes(request, text, strlen(text));
    pes_request_timeout_ms(request, timeout_ms);
    answer = pes_ask(request);
    wall_us = now_us() - start_us;
    pes_answer_info(answer, &info);
    printf("%lld %d %s %s %s", wall_us, info.error, pes_verdict_name(info.verdict),
           pes_coverage_name(info.coverage), pes_decided_by_name(info.decided_by));
    print_parts(answer, info.n_parts);
    putchar('\n');
    fflush(stdout);
    pes_answer_close(answer, PES_DID_RUN);
}

int main(int argc, char **argv)
{
    static char line[LINE_BYTES];
    struct pes_ctx *ctx;

    if (argc != 2) {
        fprintf(stderr, "usage: ask_lines TIMEOUT_MS\n");
        return 64;
    }
    ctx = pes_open("ask_lines", "1", PES_CAN_STOP);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        ask(ctx, line, (uint32_t)strtoul(argv[1], NULL, 10));
    }
    pes_close(ctx);
    return 0;
}
