/* The shim over RE2: finds, says where, and tells "nothing found" from "out of memory". */
#include <stdio.h>
#include <string.h>

#include "providers/command/pattern_set.h"
#include "testing.h"

extern int failing_new; /* failing_new.cc */

static int add(struct pattern_set *set, const char *expression, char error[PATTERN_ERROR_MAX])
{
    return pattern_set_add(set, expression, strlen(expression), error);
}

static void each_expression_that_is_there_is_found(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);
    char error[PATTERN_ERROR_MAX];
    uint8_t hits[3] = {0};
    size_t from;
    size_t to;

    assert_int_equal(add(set, "abc", error), 0);
    assert_int_equal(add(set, "x+y", error), 1);
    assert_int_equal(add(set, "\\xe2\\x9c", error), 2);
    assert_int_equal(pattern_set_compile(set), 0);
    assert_int_equal(pattern_set_candidates(set, (const uint8_t *)"--xxy\xe2\x9c", 7, hits), 0);
    assert_int_equal(hits[0], 0);
    assert_int_equal(hits[1], 1);
    assert_int_equal(pattern_set_where(set, 2, (const uint8_t *)"--xxy\xe2\x9c", 7, &from, &to), 1);
    assert_int_equal(hits[2], 1);
    assert_int_equal(pattern_set_where(set, 1, (const uint8_t *)"--xxy", 5, &from, &to), 1);
    assert_int_equal(from, 2);
    assert_int_equal(to, 5);
    assert_int_equal(pattern_set_where(set, 0, (const uint8_t *)"--xxy", 5, &from, &to), 0);
    assert_int_equal(pattern_set_where(set, 9, (const uint8_t *)"--xxy", 5, &from, &to), 0);
    pattern_set_free(set);
}

static void a_broken_expression_is_refused_with_a_reason(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);
    char error[PATTERN_ERROR_MAX];

    assert_int_equal(add(set, "(abc", error), -1);
    assert_non_null(strstr(error, "missing )"));
    assert_int_equal(add(set, "(?=x)", error), -1);
    assert_int_not_equal(error[0], '\0');
    pattern_set_free(set);
}

static void an_empty_set_finds_nothing(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);

    assert_int_equal(pattern_set_compile(set), 0);
    assert_int_equal(pattern_set_candidates(set, (const uint8_t *)"x", 1, NULL), 0);
    pattern_set_free(set);
}

/* RE2 says "no" in both cases; the difference is what keeps coverage honest. */
static void out_of_memory_is_not_nothing_found(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);
    char error[PATTERN_ERROR_MAX];
    uint8_t hits[1] = {0};
    size_t from;
    size_t to;

    assert_int_equal(add(set, "needle", error), 0);
    assert_int_equal(pattern_set_compile(set), 0);
    failing_new = 1;
    assert_int_equal(pattern_set_candidates(set, (const uint8_t *)"a needle", 8, hits),
                     PATTERN_SET_E_MEMORY);
    assert_int_equal(pattern_set_where(set, 0, (const uint8_t *)"a needle", 8, &from, &to), -1);
    failing_new = 0;
    pattern_set_free(set);
}

static void without_memory_nothing_is_made_and_no_exception_gets_out(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);
    char error[PATTERN_ERROR_MAX];

    failing_new = 1;
    assert_null(pattern_set_new(PATTERN_SET_BYTES));
    assert_int_equal(add(set, "needle", error), -1);
    failing_new = 0;
    assert_string_equal(error, "out of memory");
    pattern_set_free(set);
}

static void expressions_that_do_not_fit_are_refused(void **state)
{
    struct pattern_set *set = pattern_set_new(2000);
    char error[PATTERN_ERROR_MAX];
    char large[64];

    assert_int_equal(add(set, "(?:a|b|c|d)*e[fgh]{8}i", error), 0);
    assert_int_equal(add(set,
                         ".{900}.{900}.{900}.{900}.{900}.{900}.{900}.{900}"
                         ".{900}.{900}.{900}.{900}.{900}.{900}.{900}.{900}"
                         ".{900}.{900}.{900}.{900}.{900}.{900}.{900}.{900}",
                         error),
                     -1);
    assert_non_null(strstr(error, "too large"));
    for (int i = 0; i < 200; i++) {
        snprintf(large, sizeof(large), "%dneedle%d", i, i);
        assert_int_equal(add(set, large, error), i + 1);
    }
    assert_int_equal(pattern_set_compile(set), -1);
    pattern_set_free(set);
}

/* An expression costs nothing where the pieces that it cannot do without are not. */
static void work_is_done_for_candidates_only(void **state)
{
    struct pattern_set *set = pattern_set_new(PATTERN_SET_BYTES);
    static const char text[] = "alpha [----] gamma delta gamma";
    const size_t n = sizeof(text) - 1;
    char error[PATTERN_ERROR_MAX];
    uint8_t hits[4] = {0};

    assert_int_equal(add(set, "alpha[^\n]*beta", error), 0);
    assert_int_equal(add(set, "(?:gamma|epsilon) delta", error), 1);
    assert_int_equal(add(set, "delta +gamma", error), 2);
    assert_int_equal(add(set, "-[a-z]", error), 3); /* no piece: may always be there */
    assert_int_equal(pattern_set_compile(set), 0);
    assert_int_equal(pattern_set_candidates(set, (const uint8_t *)text, n, hits), 0);
    assert_int_equal(hits[0], 0);
    assert_int_equal(hits[1], 1);
    assert_int_equal(hits[2], 1);
    assert_int_equal(hits[3], 1);
    assert_int_equal(pattern_set_bytes_read(set), n);
    pattern_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_expression_that_is_there_is_found),
        cmocka_unit_test(a_broken_expression_is_refused_with_a_reason),
        cmocka_unit_test(an_empty_set_finds_nothing),
        cmocka_unit_test(out_of_memory_is_not_nothing_found),
        cmocka_unit_test(without_memory_nothing_is_made_and_no_exception_gets_out),
        cmocka_unit_test(expressions_that_do_not_fit_are_refused),
        cmocka_unit_test(work_is_done_for_candidates_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
