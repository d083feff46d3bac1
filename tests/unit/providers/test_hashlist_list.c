/* The compiled list: its bytes, lookups in it, and that damage is never taken for "not listed". */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hashlist_fixture.h"
#include "testing.h"

#define N_MANY 50000u

static int set_up(void **state)
{
    (void)folder_make();
    return 0;
}

static int tear_down(void **state)
{
    folder_remove();
    return 0;
}

static struct list_file opened(const char *name)
{
    struct list_file list;
    char error[LIST_ERROR_BYTES];

    if (list_file_open(&list, folder_path(name), error) < 0) {
        fail_msg("%s", error);
    }
    return list;
}

/* docs/providers/hashlist-format.md, by hand: two MD5s and the test entry, two labels, two sources.
 */
static void the_bytes_are_as_documented(void **state)
{
    static const char golden[] = "89504553484c0d0a"
                                 "0100000000010000"
                                 "b801000000000000"
                                 "00f1536500000000"
                                 "0000000000000000"
                                 "0000000000000000"
                                 "0300000000000000"
                                 "0200000000000000"
                                 "0200000000000000"
                                 "2800000000000000"
                                 "0200000000000000"
                                 "0000000000000000"
                                 "0100000000000000";
    static const char rows[] = "11111111111111111111111111111111"
                               "00000040"
                               "44d88612fea8a8f36de82e1278abb02f"
                               "010000c0"
                               "ffffffffffffffffffffffffffffffff"
                               "00000040"
                               "00000000"  /* to a multiple of 8 */
                               "00000000"  /* one range */
                               "03000000"; /* of three rows */
    char text[2 * 256 + 1];
    uint8_t digest[32];
    size_t n;
    uint8_t *bytes;

    folder_build_text("golden.hashlist", MD5_OF("1") "  Evil\n" MD5_OF("f") "  Evil\n");
    bytes = folder_read("golden.hashlist", &n);
    for (size_t i = 0; i < 104; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    assert_string_equal(text, golden);
    for (size_t i = 0; i < 72; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[256 + i]);
    }
    assert_string_equal(text, rows);
    /* sum and padding, labels, sources, names */
    assert_int_equal(n, 256 + 72 + 8 + 2 * 16 + 2 * 16 + 40);
    SHA256(bytes, 224, digest);
    assert_memory_equal(bytes + 224, digest, 32);
    SHA256(bytes + 256, n - 256, digest);
    assert_memory_equal(bytes + 160, digest, 32);
    free(bytes);
}

static void the_sum_is_the_crc_that_everybody_knows(void **state)
{
    assert_int_equal(list_sum(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(list_sum(list_sum(0, "1234", 4), "56789", 5), 0xcbf43926);
}

static void digest_of_number(unsigned number, uint8_t ret_digest[32])
{
    SHA256((const uint8_t *)&number, sizeof(number), ret_digest);
}

static void put_many(const char *name)
{
    char *text = malloc(N_MANY * 100);
    size_t n = 0;

    assert_non_null(text);
    for (unsigned i = 0; i < N_MANY; i++) {
        uint8_t digest[32];

        digest_of_number(2 * i, digest);
        for (size_t j = 0; j < 32; j++) {
            n += (size_t)sprintf(text + n, "%02x", digest[j]);
        }
        n += (size_t)sprintf(text + n, " F%u\n", i % 100);
    }
    folder_build_text(name, text);
    free(text);
}

static void every_entry_is_found_and_nothing_else(void **state)
{
    struct list_file list;
    struct list_hit hit;
    uint8_t digest[32];
    char name[16];

    put_many("many.hashlist");
    list = opened("many.hashlist");
    assert_null(list_file_verify(&list));
    assert_int_equal(list.layout.tables[LIST_SHA256].fan_bits, 12);
    for (unsigned i = 0; i < 2 * N_MANY; i++) {
        digest_of_number(i, digest);
        assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
        if (i % 2 == 1) {
            assert_int_equal(hit.action, LIST_NONE);
            continue;
        }
        assert_int_equal(hit.action, LIST_DENY);
        snprintf(name, sizeof(name), "F%u", i / 2 % 100);
        assert_string_equal(hit.name, name);
        assert_string_equal(hit.source, "feed.txt");
    }
    list_file_fini(&list);
}

static void before_the_first_and_behind_the_last_is_nothing(void **state)
{
    struct list_file list;
    struct list_hit hit;
    uint8_t digest[32];

    folder_build_text("l.hashlist", SHA256_OF("2") "\n" SHA256_OF("d") "\n");
    list = opened("l.hashlist");
    memset(digest, 0, sizeof(digest));
    assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_NONE);
    memset(digest, 0xff, sizeof(digest));
    assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_NONE);
    memset(digest, 0xdd, sizeof(digest));
    assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_DENY);
    /* A table that is not there has nothing in it. */
    assert_int_equal(list_file_find(&list, LIST_MD5, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_NONE);
    list_file_fini(&list);
}

static void a_list_that_is_cut_is_refused_at_every_length(void **state)
{
    struct list_file list;
    uint8_t *bytes;
    size_t n;

    folder_build_text("l.hashlist", SHA256_OF("2") "\n" SHA1_OF("d") "\n" MD5_OF("e") "\n");
    bytes = folder_read("l.hashlist", &n);
    assert_null(list_file_init(&list, bytes, n));
    for (size_t i = 0; i < n; i++) {
        /* In memory of exactly that size, so that a byte too far is seen. */
        uint8_t *cut = malloc(i ? i : 1);

        assert_non_null(cut);
        memcpy(cut, bytes, i);
        assert_non_null(list_file_init(&list, cut, i));
        free(cut);
    }
    free(bytes);
}

struct known {
    const char *hash;
    enum list_algorithm algorithm;
    bool is_listed;
};

/*
 * Whatever bit is flipped: the list is refused, or a lookup is, or the answer is right. A wrong
 * name is the one thing that a flip may cost, and then it is one that says so.
 */
static void a_flipped_bit_never_hides_or_invents_an_entry(void **state)
{
    static const struct known known[] = {
        {SHA256_OF("2"), LIST_SHA256, true},  {SHA256_OF("3"), LIST_SHA256, false},
        {SHA256_OF("d"), LIST_SHA256, true},  {SHA256_OF("0"), LIST_SHA256, false},
        {SHA256_OF("f"), LIST_SHA256, false}, {MD5_OF("e"), LIST_MD5, true},
        {MD5_OF("d"), LIST_MD5, false}};
    size_t n_refused = 0;
    size_t n_noticed = 0;
    uint8_t *bytes;
    size_t n;

    folder_build_text("l.hashlist", SHA256_OF("2") " A\n" SHA256_OF("d") " A\n" MD5_OF("e") " A\n");
    bytes = folder_read("l.hashlist", &n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        struct list_file list;

        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (list_file_init(&list, bytes, n)) {
            n_refused++;
        } else {
            bool is_noticed = list_file_verify(&list) != NULL;

            for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                struct file_hashes hashes = {.has = {false}};
                struct list_hit hit;

                assert_int_equal(hash_take(&hashes, known[i].hash, strlen(known[i].hash)),
                                 HASH_GOOD);
                if (list_file_find(&list, known[i].algorithm, hashes.digests[known[i].algorithm],
                                   &hit) < 0) {
                    continue;
                }
                assert_int_equal(hit.action, known[i].is_listed ? LIST_DENY : LIST_NONE);
                assert_true(hit.action == LIST_NONE || strcmp(hit.name, "A") == 0 ||
                            strcmp(hit.name, "Listed.name-damaged") == 0);
            }
            assert_true(is_noticed);
            n_noticed++;
        }
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    /* All of the header, and of the rest at least something either way. */
    assert_true(n_refused >= 8u * LIST_HEADER_BYTES);
    assert_true(n_noticed > 0);
    assert_int_equal(n_refused + n_noticed, 8 * n);
    free(bytes);
}

static void errors_name_the_file_and_the_remedy(void **state)
{
    struct list_file list;
    char error[LIST_ERROR_BYTES];

    folder_put_text("text",
                    "this is no list at all, but it is longer than a header has to be: "
                    "0123456789012345678901234567890123456789012345678901234567890123456789"
                    "0123456789012345678901234567890123456789012345678901234567890123456789"
                    "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_int_equal(list_file_open(&list, folder_path("text"), error), -1);
    assert_non_null(strstr(error, folder_path("text")));
    assert_non_null(strstr(error, "is not a compiled hash list; make it again with"));
    folder_put_text("empty", "");
    assert_int_equal(list_file_open(&list, folder_path("empty"), error), -1);
    assert_non_null(strstr(error, "is empty"));
    assert_int_equal(list_file_open(&list, folder_path("nothing"), error), -1);
    assert_non_null(strstr(error, "No such file"));
    assert_int_equal(list_file_open(&list, folder_path(""), error), -1);
    assert_non_null(strstr(error, "is not a file"));
}

static void a_list_that_is_replaced_stays_as_it_was_for_who_has_it(void **state)
{
    struct list_file list;
    struct list_hit hit;
    uint8_t digest[32];

    folder_build_text("l.hashlist", SHA256_OF("2") "\n");
    list = opened("l.hashlist");
    folder_build_text("l.hashlist", SHA256_OF("3") "\n" SHA256_OF("4") "\n");
    memset(digest, 0x22, sizeof(digest));
    assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_DENY);
    list_file_fini(&list);
    list = opened("l.hashlist");
    assert_int_equal(list_file_find(&list, LIST_SHA256, digest, &hit), 0);
    assert_int_equal(hit.action, LIST_NONE);
    list_file_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_bytes_are_as_documented, set_up, tear_down),
        cmocka_unit_test(the_sum_is_the_crc_that_everybody_knows),
        cmocka_unit_test_setup_teardown(every_entry_is_found_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_the_first_and_behind_the_last_is_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_is_cut_is_refused_at_every_length, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_bit_never_hides_or_invents_an_entry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(errors_name_the_file_and_the_remedy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_is_replaced_stays_as_it_was_for_who_has_it,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
