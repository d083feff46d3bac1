/* Numbers, tags and spans; what a codec makes of them is tested with it. */
#include "testing.h"
#include "wire/codec.h"
#include "wire/reader.h"

#define READER(...)                                                                                \
    READER_INIT(((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__}))

static void a_number_is_read_in_its_shortest_form_only(void **state)
{
    struct reader zero = READER(0x00), large = READER(0xac, 0x02), padded = READER(0x81, 0x00);

    assert_int_equal(reader_u64(&zero), 0);
    assert_int_equal(reader_left(&zero), 0);
    assert_int_equal(reader_u64(&large), 300);
    assert_int_equal(large.outcome, 0);
    assert_int_equal(reader_u64(&padded), 0);
    assert_int_equal(padded.outcome, WIRE_E_VARINT);
}

static void the_greatest_numbers_fit_and_greater_ones_do_not(void **state)
{
    struct reader u64 = READER(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    struct reader over64 = READER(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02);
    struct reader u32 = READER(0xff, 0xff, 0xff, 0xff, 0x0f);
    struct reader over32 = READER(0x80, 0x80, 0x80, 0x80, 0x10);

    assert_true(reader_u64(&u64) == UINT64_MAX);
    assert_int_equal(reader_u64(&over64), 0);
    assert_int_equal(over64.outcome, WIRE_E_VARINT);
    assert_true(reader_u32(&u32) == UINT32_MAX);
    assert_int_equal(reader_u32(&over32), 0);
    assert_int_equal(over32.outcome, WIRE_E_VARINT);
    assert_int_equal(over32.at, 0);
}

static void the_first_fault_sticks(void **state)
{
    struct reader in = READER(0x80, 0x00, 0x08, 0x01);
    unsigned int type = 7;

    assert_int_equal(reader_u64(&in), 0);
    assert_int_equal(reader_left(&in), 0);
    assert_int_equal(reader_u32(&in), 0);
    assert_int_equal(reader_tag(&in, &type), 0);
    assert_int_equal(type, 0);
    assert_int_equal(reader_span(&in).outcome, WIRE_E_VARINT);
    reader_skip(&in, READER_FIXED32);
    reader_fail(&in, WIRE_E_FLAGS);
    assert_int_equal(in.outcome, WIRE_E_VARINT);
    assert_int_equal(in.at, 0);
}

static void a_tag_has_a_number_and_at_most_five_bytes(void **state)
{
    struct reader ask = READER(0x1a), greatest = READER(0xfd, 0xff, 0xff, 0xff, 0x0f);
    struct reader zero = READER(0x02), over = READER(0x8a, 0x80, 0x80, 0x80, 0x10);
    struct reader long_one = READER(0x82, 0x80, 0x80, 0x80, 0x80, 0x01);
    unsigned int type;

    assert_int_equal(reader_tag(&ask, &type), 3);
    assert_int_equal(type, READER_SPAN);
    assert_int_equal(reader_tag(&greatest, &type), (1u << 29) - 1);
    assert_int_equal(type, READER_FIXED32);
    assert_int_equal(reader_tag(&zero, &type), 0);
    assert_int_equal(zero.outcome, WIRE_E_TAG);
    assert_int_equal(reader_tag(&over, &type), 0);
    assert_int_equal(over.outcome, WIRE_E_TAG);
    assert_int_equal(reader_tag(&long_one, &type), 0);
    assert_int_equal(long_one.outcome, WIRE_E_TAG);
}

static void a_span_stays_inside_of_what_it_was_read_from(void **state)
{
    struct reader in = READER(0x02, 0x01, 0x05, 0x07), over = READER(0x03, 0x01, 0x02);
    struct reader span = reader_span(&in);
    struct reader inner;

    assert_int_equal(reader_left(&span), 2);
    inner = reader_span(&span);
    assert_int_equal(reader_u64(&inner), 5);
    assert_int_equal(inner.outcome, 0);
    reader_close(&span, &inner);
    assert_int_equal(reader_u64(&inner), 0);
    assert_int_equal(inner.outcome, WIRE_E_TRUNCATED); /* the 7 is not its own */
    reader_close(&in, &span);
    assert_int_equal(reader_u64(&in), 7);
    assert_int_equal(reader_span(&over).outcome, WIRE_E_TRUNCATED);
    assert_int_equal(over.outcome, WIRE_E_TRUNCATED);
}

static void the_fault_of_a_span_becomes_the_outer_one(void **state)
{
    struct reader in = READER(0x01, 0x80, 0x01);
    struct reader span = reader_span(&in);

    span.field = "inner";
    (void)reader_u64(&span);
    reader_close(&in, &span);
    assert_int_equal(in.outcome, WIRE_E_TRUNCATED);
    assert_int_equal(in.at, 1);
    assert_string_equal(in.field, "inner");
}

static void what_is_skipped_is_still_looked_at(void **state)
{
    for (unsigned int type = 0; type < 8; type++) {
        struct reader in = READER(0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00);
        static const size_t left[] = {7, 0, 7, 0, 0, 4, 0, 0};

        reader_skip(&in, type);
        assert_int_equal(reader_left(&in), left[type]);
        assert_int_equal(in.outcome, type == 3 || type == 4 || type > 5 ? WIRE_E_TAG : 0);
    }
    for (unsigned int type = 0; type < 6; type++) {
        struct reader in = READER(0x83, 0x80, 0x80); /* too few bytes for any */

        reader_skip(&in, type);
        assert_int_equal(in.outcome, type == 3 || type == 4 ? WIRE_E_TAG : WIRE_E_TRUNCATED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_in_its_shortest_form_only),
        cmocka_unit_test(the_greatest_numbers_fit_and_greater_ones_do_not),
        cmocka_unit_test(the_first_fault_sticks),
        cmocka_unit_test(a_tag_has_a_number_and_at_most_five_bytes),
        cmocka_unit_test(a_span_stays_inside_of_what_it_was_read_from),
        cmocka_unit_test(the_fault_of_a_span_becomes_the_outer_one),
        cmocka_unit_test(what_is_skipped_is_still_looked_at),
    };

    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
