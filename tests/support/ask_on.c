/*
 * ask_on: asks one question after the other through libpes alone, until its standard input ends.
 *
 *   ask_on once TEXT     one question; its line is printed
 *   ask_on stay          all questions through one context, as a long-lived application does
 *   ask_on anew          each through a context of its own, as short programs do
 *
 * For tests of what happens to questions while the service is replaced. Nothing is tried again
 * here, unlike in `pes scan`: each question that did not get a full answer has failed, and is told
 * in one line. The last line is "N asked, M failed, longest wait T ms".
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pes/pes.h>

#define TIMEOUT_MS 10000

static struct {
    unsigned long n_asked, n_failed;
    long longest_ms;
} count;

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void ask(struct pes_ctx *ctx, const char *text)
{
    struct pes_request *request = pes_request_new(ctx, PES_KIND_COMMAND_PASTED);
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    long start_ms = now_ms();
    struct pes_answer *answer;
    long wait_ms;

    pes_request_bytes(request, text, strlen(text));
    pes_request_timeout_ms(request, TIMEOUT_MS);
    answer = pes_ask(request);
    wait_ms = now_ms() - start_ms;
    pes_answer_info(answer, &info);
    count.n_asked++;
    if (wait_ms > count.longest_ms) {
        count.longest_ms = wait_ms;
    }
    if (info.error || info.verdict != PES_VERDICT_NOT_DETECTED ||
        info.coverage != PES_COVERAGE_FULL) {
        count.n_failed++;
        printf("failed after %ld ms: %s, %s, %s\n", wait_ms,
               info.error ? pes_error_text(info.error) : "no error", pes_verdict_name(info.verdict),
               pes_coverage_name(info.coverage));
        fflush(stdout);
    }
    pes_answer_close(answer, PES_DID_RUN);
}

static int is_over(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, 0) != 0;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    struct pes_ctx *ctx = pes_open("ask_on", "1", PES_CAN_STOP);

    if (strcmp(how, "once") == 0 && argc == 3) {
        ask(ctx, argv[2]);
    } else if (strcmp(how, "stay") == 0 || strcmp(how, "anew") == 0) {
        while (!is_over()) {
            ask(ctx, "echo hello");
            if (strcmp(how, "anew") == 0) {
                pes_close(ctx);
                ctx = pes_open("ask_on", "1", PES_CAN_STOP);
            }
        }
    } else {
        fprintf(stderr, "usage: ask_on once TEXT | stay | anew\n");
        return 64;
    }
    pes_close(ctx);
    printf("%lu asked, %lu failed, longest wait %ld ms\n", count.n_asked, count.n_failed,
           count.longest_ms);
    return count.n_failed > 0;
}
