/*
 * The window, against a libpes that is played here: answers in any order, results in the order of
 * the items, nothing lost when the service goes away or is full.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <pes/pes.h>

#include "cli/window.h"
#include "testing.h"

struct pes_answer {
    int error;
    char text[16];
};

struct pes_request {
    char text[16];
    bool is_started;
    bool is_answered;
    bool is_stream;
    bool is_ended;
    size_t n_bytes; /* of a stream */
    unsigned sum;   /* of its bytes */
};

/* What the played service does; one per test. */
static struct {
    int fd;
    struct pes_request *open[SCAN_JOBS_MAX];
    size_t n_open;
    size_t n_open_max;
    size_t n_started;
    size_t n_lost;    /* so many questions are lost before one is answered */
    size_t n_refused; /* so many questions are refused with `refusal` when content is put in */
    int refusal;
    const char *refused; /* content that always is, with `refusal` */
    bool is_down;
    size_t stream_max;   /* a stream that is longer is answered before its end; 0: none is */
    size_t n_streamed;   /* bytes of the stream that was answered last */
    unsigned stream_sum; /* and their sum */
    unsigned n_asked_for_room;
} service;

struct pes_request *pes_request_new(struct pes_ctx *ctx, uint32_t kind)
{
    return calloc(1, sizeof(struct pes_request));
}

void pes_request_free(struct pes_request *request)
{
    for (size_t i = 0; request && i < service.n_open; i++) {
        if (service.open[i] == request) {
            service.open[i] = service.open[--service.n_open];
        }
    }
    free(request);
}

int pes_request_bytes(struct pes_request *request, const void *bytes, size_t n_bytes)
{
    if (service.n_refused > 0) {
        service.n_refused--;
        return service.refusal;
    }
    if (service.refused && n_bytes == strlen(service.refused) &&
        memcmp(bytes, service.refused, n_bytes) == 0) {
        return service.refusal;
    }
    snprintf(request->text, sizeof(request->text), "%.*s", (int)n_bytes, (const char *)bytes);
    return 0;
}

int pes_request_file(struct pes_request *request, int fd)
{
    return -PES_E_CHANGED;
}

int pes_request_stream(struct pes_request *request)
{
    request->is_stream = true;
    return 0;
}

/* There is none every other time. */
size_t pes_stream_room(const struct pes_request *request)
{
    assert_true(request->is_stream && request->is_started);
    return request->is_answered || request->is_ended || ++service.n_asked_for_room % 2 ? 0 : 5000;
}

int pes_stream_write(struct pes_request *request, const void *bytes, size_t n_bytes)
{
    assert_true(n_bytes <= 5000); /* nobody waits for room */
    if (request->is_answered) {
        return 1;
    }
    for (size_t i = 0; i < n_bytes; i++) {
        request->sum = request->sum * 31 + ((const unsigned char *)bytes)[i];
    }
    request->n_bytes += n_bytes;
    request->is_answered = service.stream_max > 0 && request->n_bytes > service.stream_max;
    return request->is_answered;
}

int pes_stream_end(struct pes_request *request)
{
    request->is_ended = true;
    return 0;
}

int pes_request_text(struct pes_request *request, uint32_t field, const char *text)
{
    return 0;
}

int pes_request_text_n(struct pes_request *request, uint32_t field, const void *text,
                       size_t n_bytes)
{
    return 0;
}

int pes_request_number(struct pes_request *request, uint32_t field, uint64_t value)
{
    return 0;
}

void pes_request_timeout_ms(struct pes_request *request, uint32_t timeout_ms)
{
}

void pes_request_flags(struct pes_request *request, uint32_t flags)
{
}

void pes_request_latency(struct pes_request *request, uint32_t latency)
{
}

int pes_start(struct pes_request *request)
{
    assert_false(request->is_started);
    request->is_started = true;
    service.n_started++;
    service.open[service.n_open++] = request;
    if (service.n_open > service.n_open_max) {
        service.n_open_max = service.n_open;
    }
    return 0;
}

int pes_fd(struct pes_ctx *ctx)
{
    return service.fd;
}

int pes_wait_ms(struct pes_ctx *ctx)
{
    return service.n_open > 0 ? 0 : -1;
}

/* Answers one question per call, and a young one at that. */
int pes_process(struct pes_ctx *ctx)
{
    if (service.n_open > 0 && (!service.open[service.n_open - 1]->is_stream ||
                               service.open[service.n_open - 1]->is_ended)) {
        service.open[service.n_open - 1]->is_answered = true;
    }
    return 1;
}

struct pes_answer *pes_take_answer(struct pes_request *request)
{
    struct pes_answer *answer;

    if (!request->is_answered) {
        return NULL;
    }
    answer = calloc(1, sizeof(*answer));
    assert_non_null(answer);
    service.n_streamed = request->n_bytes;
    service.stream_sum = request->sum;
    memcpy(answer->text, request->text, sizeof(answer->text));
    if (service.is_down) {
        answer->error = -PES_E_NO_BROKER;
    } else if (service.n_lost > 0) {
        service.n_lost--;
        answer->error = -PES_E_BROKER_LOST;
    }
    return answer;
}

void pes_answer_info(const struct pes_answer *answer, struct pes_answer_info *ret_info)
{
    ret_info->error = answer->error;
    ret_info->retry_after_ms = 1;
}

void pes_answer_close(struct pes_answer *answer, enum pes_did did)
{
    free(answer);
}

struct results {
    size_t n;
    size_t n_failed;
    size_t n_problems;
    size_t stop_after;
    char problem[128];
};

static int on_result(const struct window_result *result, void *userdata)
{
    struct results *results = userdata;

    results->n++;
    if (!result->answer) {
        results->n_problems++;
        snprintf(results->problem, sizeof(results->problem), "%s", result->item->problem);
        return 0;
    }
    if (result->answer->error) {
        results->n_failed++;
    } else if (result->item->ordinal > 0) {
        /* The n-th line holds its number: order and content must fit. */
        assert_int_equal(result->item->ordinal, results->n);
        assert_int_equal(strtoul(result->answer->text, NULL, 10), results->n);
    }
    return results->n == results->stop_after;
}

static int on_wait(bool is_starved, void *userdata)
{
    return -1;
}

/* A file whose n-th line is n. Return: its path, below /proc. */
static const char *numbered_lines(size_t n_lines)
{
    static char path[64];
    int fd = memfd_create("lines", 0);
    FILE *file;

    assert_true(fd >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    file = fdopen(dup(fd), "w");
    assert_non_null(file);
    for (size_t i = 1; i <= n_lines; i++) {
        fprintf(file, "%zu\n", i);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return path;
}

static struct results run(const char *path, enum items_split split, uint32_t n_jobs,
                          size_t stop_after)
{
    struct scan_options options = {.n_jobs = n_jobs, .timeout_ms = 30000, .split = split};
    struct items_options items_options = {
        .paths = (char *const[]){(char *)path}, .n_paths = 1, .split = split};
    struct results results = {.stop_after = stop_after};
    struct window_callbacks callbacks = {
        .on_result = on_result, .on_wait = on_wait, .userdata = &results};
    CLEANUP(items_freep) struct items *items = NULL;

    service.fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(items_new(&items, &items_options), 0);
    assert_int_equal(window_run(NULL, items, &options, &callbacks), 0);
    assert_int_equal(service.n_open, 0);
    close(service.fd);
    return results;
}

/* In libc's place: whoever would wait is told at once that the time has passed. */
static int64_t skipped_ms;

int poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
    const struct timespec now = {.tv_sec = 0};
    int n = ppoll(fds, n_fds, &now, NULL);

    skipped_ms += n == 0 && timeout_ms > 0 ? timeout_ms : 0;
    return n;
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    int r = (int)syscall(SYS_clock_gettime, clock, ret_now);

    ret_now->tv_sec += skipped_ms / 1000;
    ret_now->tv_nsec += skipped_ms % 1000 * 1000000;
    return r;
}

/* In libc's place: so many reads work, the next one fails. 0: all work. */
static size_t fails_after;

ssize_t read(int fd, void *buffer, size_t n_bytes)
{
    if (fails_after > 0 && --fails_after == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_read, fd, buffer, n_bytes);
}

static int reset(void **state)
{
    memset(&service, 0, sizeof(service));
    return 0;
}

static void answers_come_in_any_order_and_results_in_the_order_of_the_items(void **state)
{
    struct results results = run(numbered_lines(1000), ITEMS_LINES, 16, 0);

    assert_int_equal(results.n, 1000);
    assert_int_equal(results.n_failed, 0);
    assert_int_equal(service.n_started, 1000);
    assert_int_equal(service.n_open_max, 16);
}

/* Standard input with so many bytes in it. Return: their sum. */
static unsigned stdin_of(size_t n_bytes)
{
    int fd = memfd_create("stdin", 0);
    unsigned sum = 0;
    FILE *file;

    assert_true(fd >= 0);
    file = fdopen(dup(fd), "w");
    assert_non_null(file);
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = (unsigned char)(i * 7 + i / 251);

        fputc(byte, file);
        sum = sum * 31 + byte;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    return sum;
}

static void long_standard_input_is_passed_on_as_it_comes(void **state)
{
    unsigned sum = stdin_of(3000001);
    struct results results = run("-", ITEMS_WHOLE, 16, 0);

    assert_int_equal(results.n, 1);
    assert_int_equal(results.n_failed + results.n_problems, 0);
    assert_int_equal(service.n_streamed, 3000001);
    assert_int_equal(service.stream_sum, sum);
    assert_int_equal(service.n_started, 1);
}

static void an_early_answer_leaves_the_rest_unread(void **state)
{
    struct results results;

    (void)stdin_of(9000000);
    service.stream_max = 2000000;
    results = run("-", ITEMS_WHOLE, 16, 0);
    assert_int_equal(results.n, 1);
    assert_int_equal(results.n_failed + results.n_problems, 0);
    assert_in_range(service.n_streamed, 2000001, 2100000);
    assert_in_range(lseek(STDIN_FILENO, 0, SEEK_CUR), 2000001, 2300000);
}

static void what_was_read_from_a_pipe_is_not_asked_about_again(void **state)
{
    struct results results;

    (void)stdin_of(3000001);
    service.n_lost = 1;
    results = run("-", ITEMS_WHOLE, 16, 0);
    assert_int_equal(results.n, 1);
    assert_int_equal(results.n_failed, 1);
    assert_int_equal(service.n_started, 1);
}

static void a_pipe_that_cannot_be_read_any_more_is_told(void **state)
{
    char bytes[65536] = {0};
    size_t n_written = 0;
    struct results results;
    int fd = memfd_create("stdin", 0);

    while (n_written < ITEMS_STREAM_BYTES + sizeof(bytes)) {
        assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
        n_written += sizeof(bytes);
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    fails_after = ITEMS_STREAM_BYTES / sizeof(bytes) + 1;
    results = run("-", ITEMS_WHOLE, 16, 0);
    fails_after = 0;
    assert_int_equal(results.n, 1);
    assert_int_equal(results.n_problems, 1);
    assert_string_equal(results.problem, strerror(EIO));
}

static void one_job_asks_one_question_at_a_time(void **state)
{
    struct results results = run(numbered_lines(10), ITEMS_LINES, 1, 0);

    assert_int_equal(results.n, 10);
    assert_int_equal(service.n_open_max, 1);
}

static void questions_that_the_service_lost_are_asked_again(void **state)
{
    struct results results;

    service.n_lost = 20;
    results = run(numbered_lines(100), ITEMS_LINES, 16, 0);
    assert_int_equal(results.n, 100);
    assert_int_equal(results.n_failed, 0);
    assert_int_equal(service.n_started, 120);
}

static void a_full_service_is_asked_again_after_an_answer(void **state)
{
    struct results results;

    service.n_refused = 5;
    service.refusal = -PES_E_QUOTA;
    results = run(numbered_lines(50), ITEMS_LINES, 4, 0);
    assert_int_equal(results.n, 50);
    assert_int_equal(results.n_failed, 0);
}

static void a_service_without_memory_is_asked_again(void **state)
{
    struct results results;

    service.n_refused = 5;
    service.refusal = -PES_E_NO_MEMORY;
    results = run(numbered_lines(50), ITEMS_LINES, 4, 0);
    assert_int_equal(results.n, 50);
    assert_int_equal(results.n_failed + results.n_problems, 0);
}

static void an_item_that_there_is_never_memory_for_fails_alone(void **state)
{
    struct results results;

    service.refused = "2";
    service.refusal = -PES_E_NO_MEMORY;
    results = run(numbered_lines(10), ITEMS_LINES, 4, 0);
    assert_int_equal(results.n, 10);
    assert_int_equal(results.n_failed, 0);
    assert_int_equal(results.n_problems, 1);
    assert_string_equal(results.problem, pes_error_text(-PES_E_NO_MEMORY));
    assert_int_equal(service.n_started, 9);
}

/* Nothing of ours is under way that it could be. */
static void a_quota_that_others_use_up_is_not_waited_for_as_long(void **state)
{
    int64_t from_ms = skipped_ms;
    struct results results;

    service.refused = "1";
    service.refusal = -PES_E_QUOTA;
    results = run(numbered_lines(1), ITEMS_LINES, 4, 0);
    assert_int_equal(results.n_problems, 1);
    assert_true(skipped_ms - from_ms < 6000);
}

static void a_service_that_never_answered_is_not_waited_for(void **state)
{
    struct results results;

    service.is_down = true;
    results = run(numbered_lines(50), ITEMS_LINES, 4, 0);
    assert_int_equal(results.n, 50);
    assert_int_equal(results.n_failed, 50);
    assert_int_equal(service.n_started, 50);
}

static void the_receiver_of_results_can_stop_it_all(void **state)
{
    struct results results = run(numbered_lines(50), ITEMS_LINES, 4, 7);

    assert_int_equal(results.n, 7);
}

static void a_file_that_changes_twice_while_it_is_read_is_told_as_such(void **state)
{
    struct results results = run(numbered_lines(1), ITEMS_WHOLE, 4, 0);

    assert_int_equal(results.n, 1);
    assert_int_equal(results.n_problems, 1);
    assert_non_null(strstr(results.problem, "changed while it was read"));
    assert_int_equal(service.n_started, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers_come_in_any_order_and_results_in_the_order_of_the_items,
                               reset),
        cmocka_unit_test_setup(long_standard_input_is_passed_on_as_it_comes, reset),
        cmocka_unit_test_setup(an_early_answer_leaves_the_rest_unread, reset),
        cmocka_unit_test_setup(what_was_read_from_a_pipe_is_not_asked_about_again, reset),
        cmocka_unit_test_setup(a_pipe_that_cannot_be_read_any_more_is_told, reset),
        cmocka_unit_test_setup(one_job_asks_one_question_at_a_time, reset),
        cmocka_unit_test_setup(questions_that_the_service_lost_are_asked_again, reset),
        cmocka_unit_test_setup(a_full_service_is_asked_again_after_an_answer, reset),
        cmocka_unit_test_setup(a_service_without_memory_is_asked_again, reset),
        cmocka_unit_test_setup(an_item_that_there_is_never_memory_for_fails_alone, reset),
        cmocka_unit_test_setup(a_quota_that_others_use_up_is_not_waited_for_as_long, reset),
        cmocka_unit_test_setup(a_service_that_never_answered_is_not_waited_for, reset),
        cmocka_unit_test_setup(the_receiver_of_results_can_stop_it_all, reset),
        cmocka_unit_test_setup(a_file_that_changes_twice_while_it_is_read_is_told_as_such, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
