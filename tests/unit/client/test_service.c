/* Status and report: copied, computed, asked for where one may. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attribution.h"
#include "base/histogram.h"
#include "client/service.h"
#include "client_fixture.h"

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

/* Three scans of two slow providers (10 s and 9.9 s each), half a second of the broker. */
static struct wire_report *make_report(void)
{
    struct wire_report *report = calloc(1, sizeof(*report));

    assert_non_null(report);
    report->n_providers = 2;
    report->providers[0].name = wire_text("a");
    report->providers[1].name = wire_text("b");
    report->providers[1].n_signals = 1;
    report->providers[1].signals[0] = (struct wire_signal_count){.signal = 11, .count = 4};
    report->n_sets = 3;
    report->sets[0] = (struct wire_set_wait){.mask = 3, .wait_us = 29700000, .n_scans = 3};
    report->sets[1] = (struct wire_set_wait){.mask = 1, .wait_us = 300000, .n_scans = 3};
    report->sets[2] =
        (struct wire_set_wait){.mask = UINT64_C(1) << 63, .wait_us = 500000, .n_scans = 3};
    report->wait_us = 30500000;
    report->n_scans = 3;
    report->n_kinds = 1;
    report->kinds[0] = (struct wire_kind_count){.kind = PES_KIND_URL, .count = 3, .wait_us = 5};
    report->n_clients = 1;
    report->clients[0] = (struct wire_client_row){
        .name = wire_text("bash\n"),
        .count = 3,
        .wait_us = 2000000,
        .blamed = wire_text("a"),
        .blamed_us = 1000000,
    };
    return report;
}

static void shares_sum_to_the_total(void **state)
{
    struct wire_report *report = make_report();
    struct pes_service *service = service_from_report(report);
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct pes_provider_info a = {.size_bytes = sizeof(a)}, b = {.size_bytes = sizeof(b)};

    pes_service_info(service, &info);
    assert_int_equal(pes_service_provider(service, 0, &a), 0);
    assert_int_equal(pes_service_provider(service, 1, &b), 0);
    assert_int_equal(pes_service_provider(service, 2, &b), -PES_E_INVALID_ARGUMENT);
    assert_true(near(info.wait_seconds, 30.5));
    assert_true(near(info.broker_wait_share_seconds, 0.5));
    assert_true(near(a.wait_share_seconds, 15.15));
    assert_true(near(b.wait_share_seconds, 14.85));
    assert_true(near(a.saved_if_removed_seconds, 0.3));
    assert_true(near(b.saved_if_removed_seconds, 0));
    assert_true(near(b.busy_seconds, 29.7));
    assert_true(near(pes_service_saved_if_removed(service, 3), 30));
    assert_true(near(pes_service_saved_if_removed(service, 2), 0));
    assert_true(info.wait_p50_seconds < 0); /* three are too few to say */
    assert_true(a.p50_seconds < 0);
    pes_service_free(service);
    free(report);
}

static void what_was_decided_early_counts_as_waiting_and_not_as_saved(void **state)
{
    struct wire_report *report = make_report();
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct pes_provider_info a = {.size_bytes = sizeof(a)};
    struct pes_service *service;

    report->sets[1].early_us = 200000;
    report->sets[0].early_us = UINT64_MAX; /* more than there is: no more than that */
    service = service_from_report(report);
    pes_service_info(service, &info);
    pes_service_provider(service, 0, &a);
    assert_true(near(info.wait_seconds, 30.5));
    assert_true(near(a.wait_share_seconds, 15.15));
    assert_true(near(a.saved_if_removed_seconds, 0.1));
    assert_true(near(pes_service_saved_if_removed(service, 3), 0.1));
    pes_service_free(service);
    free(report);
}

static void counts_have_names_and_are_harmless(void **state)
{
    struct wire_report *report = make_report();
    struct pes_service *service = service_from_report(report);
    struct pes_count_info count = {.size_bytes = sizeof(count)};

    assert_int_equal(pes_service_signal(service, 1, 0, &count), 0);
    assert_string_equal(count.name, "SIGSEGV");
    assert_int_equal(count.count, 4);
    assert_int_equal(pes_service_signal(service, 1, 1, &count), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_service_signal(service, 2, 0, &count), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_service_kind(service, 0, &count), 0);
    assert_string_equal(count.name, "url");
    assert_int_equal(pes_service_kind(service, 1, &count), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_service_client(service, 0, &count), 0);
    assert_null(strchr(count.name, '\n'));
    assert_string_equal(count.blamed, "a");
    assert_true(near(count.blamed_seconds, 1));
    assert_int_equal(pes_service_client(service, 1, &count), -PES_E_INVALID_ARGUMENT);
    pes_service_free(service);
    free(report);
}

static void percentiles_come_with_enough_values(void **state)
{
    struct wire_report *report = make_report();
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    static struct histogram histogram;
    uint8_t packed[HISTOGRAM_PACK_BYTES_MAX];
    struct pes_service *service;

    for (int i = 0; i < 100; i++) {
        histogram_add(&histogram, 1000);
    }
    report->histogram.size = histogram_pack(&histogram, packed, sizeof(packed));
    report->histogram.data = packed;
    service = service_from_report(report);
    pes_service_info(service, &info);
    assert_true(info.wait_p50_seconds > 0.0009 && info.wait_p50_seconds < 0.0011);
    assert_true(info.wait_p95_seconds > 0);
    assert_true(info.wait_p99_seconds < 0);
    pes_service_free(service);
    /* Bytes that are no histogram say nothing. */
    report->histogram = wire_text("nonsense");
    service = service_from_report(report);
    pes_service_info(service, &info);
    assert_true(info.wait_p50_seconds < 0);
    pes_service_free(service);
    free(report);
}

static bool tell(struct fake_broker *fake, struct fake_connection *connection,
                 const struct wire_frame *frame)
{
    static struct wire_service service;

    if (frame->type != WIRE_TYPE_QUERY) {
        return false;
    }
    if (frame->query.what == QUERY_REPORT) {
        struct wire_report *report = make_report();

        report->id = frame->query.id;
        fake_send(connection, WIRE_TYPE_REPORT, report);
        free(report);
        return true;
    }
    service = (struct wire_service){
        .id = frame->query.id,
        .version = wire_text("0.1.0"),
        .mode = PES_MODE_ENFORCE,
        .is_system = 1,
        .tier = wire_text("T2\x1b"),
        .n_providers = 1,
        .providers = {{.name = wire_text("yara"),
                       .state = PES_PROVIDER_STATE_READY,
                       .n_kinds = 2,
                       .kinds = {1, 2}}},
    };
    fake_send(connection, WIRE_TYPE_SERVICE, &service);
    return true;
}

static void a_query_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct pes_service *service;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

    fixture->fake.handler = tell;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_service_query(fixture->ctx, 0, &service), 0);
    pes_service_info(service, &info);
    assert_string_equal(info.version, "0.1.0");
    assert_int_equal(info.is_system, 1);
    assert_int_equal(info.tier[0], 'T');
    assert_null(strchr(info.tier, '\x1b'));
    assert_string_equal(info.config_error, "");
    assert_int_equal(pes_service_provider(service, 0, &provider), 0);
    assert_string_equal(provider.name, "yara");
    assert_int_equal(provider.n_kinds, 2);
    assert_int_equal(provider.kinds[1], 2);
    pes_service_free(service);

    assert_int_equal(pes_service_report(fixture->ctx, 0, &service), 0);
    pes_service_info(service, &info);
    assert_int_equal(info.n_scans, 3);
    pes_service_free(service);
    /* Questions and queries share a connection. */
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 1);
}

static void whoever_may_uses_the_admin_socket(void **state)
{
    struct fixture *fixture = *state;
    struct pes_service *service;
    char admin[96];

    fixture->fake.handler = tell;
    fake_broker_start(&fixture->fake);
    strcpy(admin, fixture->fake.folder);
    strcat(admin, "/admin.sock");
    assert_int_equal(rename(fixture->fake.socket, admin), 0);
    assert_int_equal(pes_service_query(fixture->ctx, 0, &service), 0);
    pes_service_free(service);
    unlink(admin);
}

static bool refuse(struct fake_broker *fake, struct fake_connection *connection,
                   const struct wire_frame *frame)
{
    struct wire_refusal refusal = {
        .type = WIRE_TYPE_QUERY,
        .id = frame->query.id,
        .error = PES_E_PERMISSION,
    };

    if (frame->type != WIRE_TYPE_QUERY) {
        return false;
    }
    fake_send(connection, WIRE_TYPE_REFUSAL, &refusal);
    return true;
}

static bool hush(struct fake_broker *fake, struct fake_connection *connection,
                 const struct wire_frame *frame)
{
    return frame->type == WIRE_TYPE_QUERY;
}

static void a_query_fails_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct pes_service *service = NULL;

    assert_int_equal(pes_service_query(NULL, 0, &service), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_service_query(fixture->ctx, 0, NULL), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_service_query(fixture->ctx, 0, &service), -PES_E_NO_BROKER);
    fixture->fake.handler = refuse;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_service_query(fixture->ctx, 0, &service), -PES_E_PERMISSION);
    fake_broker_stop(&fixture->fake);
    fixture->fake.handler = hush;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_service_report(fixture->ctx, 30, &service), -PES_E_DEADLINE_PASSED);
    assert_null(service);
}

/* Reads nothing more from the first question on until the test says so. */
static bool stall(struct fake_broker *fake, struct fake_connection *connection,
                  const struct wire_frame *frame)
{
    const int *fd = fake->data;
    char byte;

    if (frame->type == WIRE_TYPE_ASK && fake->count++ == 0 && read(*fd, &byte, 1) != 1) {
        abort();
    }
    return false;
}

static void a_query_that_does_not_fit_in_loses_no_question(void **state)
{
    struct fixture *fixture = *state;
    struct pes_service *service = NULL;
    struct pes_request *requests[64];
    static uint8_t bytes[32000];
    int go_on[2];

    assert_int_equal(pipe2(go_on, O_CLOEXEC), 0);
    fixture->fake.handler = stall;
    fixture->fake.data = &go_on[0];
    fake_broker_start(&fixture->fake);
    pes_close(fixture->ctx);
    /* A context that cannot connect anew. */
    fixture->ctx = pes_open_fd(pes_connect(), "unit test", "1.0", PES_CAN_STOP);
    for (size_t i = 0; i < 64; i++) {
        requests[i] = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_bytes(requests[i], bytes, sizeof(bytes)), 0);
        pes_request_timeout_ms(requests[i], 20000);
        pes_start(requests[i]);
    }
    while (fake_broker_seen(&fixture->fake, WIRE_TYPE_ASK) == 0) {
        pes_process(fixture->ctx);
    }
    assert_int_equal(pes_service_query(fixture->ctx, 50, &service), -PES_E_DEADLINE_PASSED);
    assert_int_equal(write(go_on[1], "", 1), 1);
    for (size_t i = 0; i < 64; i++) {
        struct pes_answer *answer = fixture_await(fixture, requests[i]);

        assert_int_equal(fixture_info(answer).error, 0);
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
    fake_broker_stop(&fixture->fake);
    close(go_on[0]);
    close(go_on[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_sum_to_the_total),
        cmocka_unit_test(what_was_decided_early_counts_as_waiting_and_not_as_saved),
        cmocka_unit_test(counts_have_names_and_are_harmless),
        cmocka_unit_test(percentiles_come_with_enough_values),
        FIXTURE_TEST_DOWN(a_query_is_answered),
        FIXTURE_TEST_DOWN(whoever_may_uses_the_admin_socket),
        FIXTURE_TEST_DOWN(a_query_fails_by_name),
        FIXTURE_TEST_DOWN(a_query_that_does_not_fit_in_loses_no_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
