/* Which STIX patterns a hash list can stand for, and that no other is taken for one. */
#include <string.h>

#include "hashlist_fixture.h"
#include "providers/hashlist/build/stix_pattern.h"
#include "testing.h"

#define M(c) "'" MD5_OF(c) "'"
#define S(c) "'" SHA256_OF(c) "'"

static size_t n_files;
static size_t n_hashes;

static int count(void *data, const struct file_hashes *hashes)
{
    n_files++;
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        n_hashes += hashes->has[a];
    }
    return 0;
}

static enum stix_outcome read_pattern(const char *pattern)
{
    enum stix_outcome outcome;

    n_files = 0;
    n_hashes = 0;
    assert_int_equal(stix_pattern_read(pattern, strlen(pattern), count, NULL, &outcome), 0);
    return outcome;
}

static void patterns_of_file_hashes_are_taken(void **state)
{
    static const struct {
        const char *pattern;
        size_t n_files;
        size_t n_hashes;
    } cases[] = {
        {"[file:hashes.'SHA-256' = " S("a") "]", 1, 1},
        {"[ file:hashes.MD5=" M("a") " ]", 1, 1},
        {"[file:hashes.md5 = " M("a") "]", 1, 1},
        {"[file:hashes.'SHA-1' = '" SHA1_OF("1") "']", 1, 1},
        {"[file:hashes.MD5 = " M("a") " OR file:hashes.'SHA-256' = " S("b") "]", 2, 2},
        {"[file:hashes.MD5 = " M("a") "] OR [file:hashes.MD5 = " M("b") "]", 2, 2},
        {"[file:hashes.MD5 = " M("a") " AND file:hashes.'SHA-256' = " S("a") "]", 1, 2},
        {"[file:hashes.MD5 = " M("a") " AND file:hashes.'SHA-256' = " S(
             "a") " OR file:hashes.MD5 = " M("c") "]",
         2, 3},
        {"[file:hashes.MD5 IN (" M("a") ", " M("b") ", " M("c") ")]", 3, 3},
        {"[file:hashes.MD5 IN (" M("a") ") OR file:hashes.MD5 = " M("d") "]", 2, 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (read_pattern(cases[i].pattern) != STIX_GOOD || n_files != cases[i].n_files ||
            n_hashes != cases[i].n_hashes) {
            fail_msg("%s: %zu files, %zu hashes", cases[i].pattern, n_files, n_hashes);
        }
    }
}

static void patterns_that_ask_for_more_are_left_as_a_whole(void **state)
{
    static const char *const patterns[] = {
        "[domain-name:value = 'example.org']",
        "[file:name = 'a.exe']",
        "[file:hashes.'SHA-512' = '" SHA256_OF("a") SHA256_OF("a") "']",
        "[file:hashes.MD5 = " M("a") " AND file:name = 'a.exe']",
        "[file:name = 'a.exe' AND file:hashes.MD5 = " M("a") "]",
        "[file:hashes.MD5 = " M("a") " OR file:name = 'a.exe']",
        "[file:hashes.MD5 = " M("a") "] AND [file:hashes.MD5 = " M("b") "]",
        "[file:hashes.MD5 = " M("a") "] FOLLOWEDBY [file:hashes.MD5 = " M("b") "]",
        "[file:hashes.MD5 = " M("a") "] WITHIN 5 SECONDS",
        "[file:hashes.MD5 = " M("a") " AND file:hashes.MD5 = " M("b") "]",
        "[file:hashes.MD5 != " M("a") "]",
        "[NOT file:hashes.MD5 = " M("a") "]",
        "[file:hashes.MD5 NOT IN (" M("a") ")]",
        "[file:hashes.MD5 MATCHES " M("a") "]",
        "[file:hashes.MD5 IN (" M("a") ", " M("b") ") AND file:size = 1]",
        "[file:hashes.'SHA-256' = " S("a") " AND file:hashes.MD5 IN (" M("a") ", " M("b") ")]",
        "([file:hashes.MD5 = " M("a") "])",
        "[(file:hashes.MD5 = " M("a") ")]",
        "[file:content_ref.hashes.MD5 = " M("a") "]",
        "[process:image_ref.hashes.MD5 = " M("a") "]",
        "[email-message:subject MATCHES '^[IMPORTANT] it\\'s']",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (read_pattern(patterns[i]) != STIX_OTHER || n_files != 0) {
            fail_msg("%s: %zu files", patterns[i], n_files);
        }
    }
}

static void broken_patterns_are_refused(void **state)
{
    static const char *const patterns[] = {
        "",
        "file:hashes.MD5 = " M("a"),
        "[file:hashes.MD5 = " M("a"),
        "[file:hashes.MD5 = '" MD5_OF("a") "]",
        "[file:hashes.MD5 = 'zz']",
        "[file:hashes.MD5 = " S("a") "]",
        "[file:hashes.MD5 = 7]",
        "[file:hashes.MD5 = ",
        "[file:hashes.MD5 IN " M("a") "]",
        "[file:hashes.MD5 = " M("a") "]]",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (read_pattern(patterns[i]) != STIX_BROKEN || n_files != 0) {
            fail_msg("%s: %zu files", patterns[i], n_files);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_of_file_hashes_are_taken),
        cmocka_unit_test(patterns_that_ask_for_more_are_left_as_a_whole),
        cmocka_unit_test(broken_patterns_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
