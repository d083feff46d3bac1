/*
 * libpes against the real service: what the unit tests promise with a fake broker holds with the
 * one there is. Run beside a private daemon with two scripted providers, alpha and beta.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pes/pes.h>

#include "testing.h"

#define LARGE_BYTES (8u << 20)

static struct pes_ctx *ctx;

static int open_ctx(void **state)
{
    ctx = pes_open("integration test", "1.0", PES_CAN_STOP | PES_CAN_ASK);
    return ctx ? 0 : -1;
}

static int close_ctx(void **state)
{
    pes_close(ctx);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct pes_request *request_of(const char *text, uint32_t timeout_ms)
{
    struct pes_request *request = pes_request_new(ctx, PES_KIND_COMMAND_PASTED);

    assert_non_null(request);
    assert_int_equal(pes_request_bytes(request, text, strlen(text)), 0);
    pes_request_timeout_ms(request, timeout_ms);
    return request;
}

static struct pes_answer_info info_of(const struct pes_answer *answer)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};

    pes_answer_info(answer, &info);
    return info;
}

static struct pes_answer *await(struct pes_request *request)
{
    uint64_t until = now_ms() + 30000;
    struct pes_answer *answer;

    while (!(answer = pes_take_answer(request))) {
        struct pollfd polled = {.fd = pes_fd(ctx), .events = POLLIN};

        assert_true(now_ms() < until);
        poll(&polled, 1, pes_wait_ms(ctx));
        pes_process(ctx);
    }
    return answer;
}

static void large_content_is_scanned_and_comes_back(void **state)
{
    uint8_t *bytes = malloc(LARGE_BYTES);
    const char *script = "\nPES-SCRIPT: @alpha found At-The-End malicious\n";
    struct pes_request *request = pes_request_new(ctx, PES_KIND_GENERIC);
    struct pes_answer *answer;
    void *got;
    int fd;

    assert_non_null(bytes);
    memset(bytes, 'x', LARGE_BYTES);
    memcpy(bytes + LARGE_BYTES - strlen(script), script, strlen(script));
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    answer = pes_ask(request);
    assert_int_equal(info_of(answer).error, 0);
    assert_int_equal(info_of(answer).verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(pes_answer_action(answer), PES_STOP);
    assert_int_equal(info_of(answer).content_bytes, LARGE_BYTES);
    assert_non_null(info_of(answer).digest);
    fd = pes_answer_take_content(answer);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS) & 0x0f, 0x0f);
    got = mmap(NULL, LARGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(got != MAP_FAILED);
    assert_memory_equal(got, bytes, LARGE_BYTES);
    munmap(got, LARGE_BYTES);
    close(fd);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

/* More than one user may have open: those above wait inside the library. */
static void three_hundred_at_once_are_all_answered(void **state)
{
    struct pes_request *requests[300];

    for (size_t i = 0; i < 300; i++) {
        char text[64];

        snprintf(text, sizeof(text), "PES-SCRIPT: %s # %zu",
                 i % 3 ? "@beta sleep 1" : "@alpha found X malicious", i);
        requests[i] = request_of(text, 20000);
        assert_int_equal(pes_start(requests[i]), 0);
    }
    for (size_t i = 0; i < 300; i++) {
        struct pes_answer *answer = await(requests[i]);

        assert_int_equal(info_of(answer).error, 0);
        assert_int_equal(pes_answer_action(answer), i % 3 ? PES_GO : PES_STOP);
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
}

static void what_hangs_is_answered_in_time_and_named(void **state)
{
    uint64_t start = now_ms();
    struct pes_answer *answer = pes_ask(request_of("PES-SCRIPT: @beta hang", 400));

    assert_true(now_ms() - start < 400 + 250);
    assert_int_equal(info_of(answer).decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_int_equal(pes_answer_action(answer), PES_ASK);
    assert_non_null(strstr(pes_answer_message(answer), "beta did not answer in time"));
    pes_answer_close(answer, PES_DID_REFUSE);
}

static void what_crashes_is_named_with_its_signal(void **state)
{
    struct pes_answer *answer = pes_ask(request_of("PES-SCRIPT: @alpha crash SEGV", 5000));

    assert_int_equal(info_of(answer).coverage, PES_COVERAGE_PARTIAL_PROVIDERS);
    assert_int_equal(pes_answer_action(answer), PES_ASK);
    assert_non_null(
        strstr(pes_answer_message(answer), "alpha could not look: its worker died by SIGSEGV"));
    pes_answer_close(answer, PES_DID_REFUSE);
}

static void a_cancelled_question_is_answered(void **state)
{
    struct pes_request *request = request_of("PES-SCRIPT: @alpha hang", 20000);
    uint64_t start = now_ms();
    struct pes_answer *answer;

    assert_int_equal(pes_start(request), 0);
    pes_process(ctx);
    pes_cancel(request);
    answer = await(request);
    assert_int_equal(info_of(answer).error, -PES_E_CANCELLED);
    assert_true(now_ms() - start < 5000);
    pes_answer_close(answer, PES_DID_USER_CANCELLED);
    pes_request_free(request);
}

static void larger_than_the_limit_is_said_to_be_unchecked(void **state)
{
    char path[] = "/tmp/pes-large-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct pes_request *request = pes_request_new(ctx, PES_KIND_CODE_ELF);
    struct pes_answer *answer;

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(ftruncate(fd, (101 << 20)), 0); /* one more than the 100 MiB of the default */
    assert_int_equal(pes_request_file(request, fd), -PES_E_TOO_LARGE);
    close(fd);
    answer = pes_ask(request);
    assert_int_equal(info_of(answer).coverage, PES_COVERAGE_TOO_LARGE);
    assert_int_not_equal(pes_answer_action(answer), PES_GO);
    pes_answer_close(answer, PES_DID_REFUSE);
}

static void parent_and_child_both_go_on(void **state)
{
    struct pes_request *request = request_of("PES-SCRIPT: @beta sleep 200", 10000);
    struct pes_answer *answer;
    int status;
    pid_t pid;

    assert_int_equal(pes_start(request), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        answer = pes_ask(request_of("PES-SCRIPT: @alpha found X malicious", 10000));
        _exit(pes_answer_action(answer) == PES_STOP ? 0 : 1);
    }
    answer = await(request);
    assert_int_equal(info_of(answer).error, 0);
    pes_answer_close(answer, PES_DID_RUN);
    pes_request_free(request);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The broker of the private daemon, or 0. */
static pid_t find_broker(void)
{
    const char *launcher = getenv("PES_PRIVATE_PID");
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;

    while (launcher && proc && (entry = readdir(proc))) {
        char path[300], line[400], name[64];
        int parent;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        file = fopen(path, "re");
        if (!file) {
            continue;
        }
        if (fgets(line, sizeof(line), file) &&
            sscanf(line, "%*d (%63[^)]) %*c %d", name, &parent) == 2 && parent == atoi(launcher) &&
            strcmp(name, "pes-broker") == 0) {
            found = atoi(entry->d_name);
        }
        fclose(file);
    }
    if (proc) {
        closedir(proc);
    }
    return found;
}

static void a_broker_killed_in_mid_question_costs_no_answer(void **state)
{
    struct pes_request *requests[20];
    pid_t broker = find_broker();

    if (broker == 0) {
        skip_because("no broker of ours to be killed here");
    }
    for (size_t i = 0; i < 20; i++) {
        requests[i] = request_of("PES-SCRIPT: @beta sleep 100", 20000);
        assert_int_equal(pes_start(requests[i]), 0);
    }
    pes_process(ctx);
    assert_int_equal(kill(broker, SIGKILL), 0);
    for (size_t i = 0; i < 20; i++) {
        struct pes_answer *answer = await(requests[i]);

        /* Asked again of the next broker; never good without having been looked at. */
        assert_int_equal(info_of(answer).error, 0);
        if (pes_answer_action(answer) == PES_GO) {
            assert_int_equal(info_of(answer).coverage, PES_COVERAGE_FULL);
        }
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
}

static void a_connection_opened_before_serves_a_context(void **state)
{
    struct pes_ctx *normal = ctx;
    struct pes_answer *answer;
    int fd = pes_connect();

    assert_true(fd >= 0);
    ctx = pes_open_fd(fd, "sandboxed", "1", PES_CAN_STOP);
    answer = pes_ask(request_of("PES-SCRIPT: @alpha found X malicious", 5000));
    assert_int_equal(pes_answer_action(answer), PES_STOP);
    pes_answer_close(answer, PES_DID_REFUSE);
    pes_close(ctx);
    ctx = normal;
}

static void the_service_tells_of_itself(void **state)
{
    struct pes_service *service;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    double shares = 0;

    assert_int_equal(pes_service_query(ctx, 5000, &service), 0);
    pes_service_info(service, &info);
    assert_true(info.n_providers >= 2);
    assert_string_equal(info.version, PES_VERSION);
    pes_service_free(service);

    assert_int_equal(pes_service_report(ctx, 5000, &service), 0);
    pes_service_info(service, &info);
    assert_true(info.n_scans > 0);
    shares = info.broker_wait_share_seconds;
    for (uint32_t i = 0; i < info.n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        assert_int_equal(pes_service_provider(service, i, &provider), 0);
        shares += provider.wait_share_seconds;
        assert_true(provider.saved_if_removed_seconds <= provider.wait_share_seconds + 1e-6);
        assert_true(provider.wait_share_seconds <= provider.busy_seconds + 1e-6);
    }
    assert_true(shares > info.wait_seconds * 0.999 && shares < info.wait_seconds * 1.001);
    pes_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(large_content_is_scanned_and_comes_back, open_ctx,
                                        close_ctx),
        cmocka_unit_test_setup_teardown(three_hundred_at_once_are_all_answered, open_ctx,
                                        close_ctx),
        cmocka_unit_test_setup_teardown(what_hangs_is_answered_in_time_and_named, open_ctx,
                                        close_ctx),
        cmocka_unit_test_setup_teardown(what_crashes_is_named_with_its_signal, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(a_cancelled_question_is_answered, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(larger_than_the_limit_is_said_to_be_unchecked, open_ctx,
                                        close_ctx),
        cmocka_unit_test_setup_teardown(parent_and_child_both_go_on, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(a_connection_opened_before_serves_a_context, open_ctx,
                                        close_ctx),
        cmocka_unit_test_setup_teardown(the_service_tells_of_itself, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(a_broker_killed_in_mid_question_costs_no_answer, open_ctx,
                                        close_ctx),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
