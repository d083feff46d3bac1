/* Sorting and what is left of equal digests; whole lists from several inputs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hashlist_fixture.h"
#include "testing.h"

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

static void add_md5(struct entries *entries, uint64_t high, uint64_t low, uint32_t label)
{
    uint8_t digest[16];

    for (size_t i = 0; i < 8; i++) {
        digest[i] = (uint8_t)(high >> (56 - 8 * i));
        digest[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    assert_int_equal(entries_add(entries, LIST_MD5, digest, LIST_DENY, label), 0);
}

static void assert_sorted(const struct entries *entries, size_t n)
{
    const struct entry_rows *table = &entries->tables[LIST_MD5];

    assert_int_equal(table->n_rows, n);
    for (size_t i = 1; i < n; i++) {
        assert_true(memcmp(table->rows + (i - 1) * 20, table->rows + i * 20, 16) < 0);
    }
}

static void digests_of_every_kind_are_sorted(void **state)
{
    static struct entries entries;
    uint64_t random = 1;

    /* At random; then ones that differ only in their last bytes, as nobody's hashes do by
     * chance. */
    for (size_t i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        add_md5(&entries, random, i, 0);
    }
    for (size_t i = 20000; i > 0; i--) {
        add_md5(&entries, UINT64_C(0x4242424242424242), i, 0);
    }
    entries_sort(&entries);
    assert_sorted(&entries, 40000);
    assert_int_equal(entries.n_duplicates[0], 0);
    entries_fini(&entries);
}

static void of_equal_digests_the_first_source_stays_and_the_others_are_counted(void **state)
{
    static struct entries entries;
    uint32_t first;
    uint32_t second;

    assert_int_equal(entries_label(&entries, 1, "A", 1, &first), 0);
    assert_int_equal(entries_label(&entries, 2, "A", 1, &second), 0);
    assert_int_not_equal(first, second);
    for (size_t i = 0; i < 100000; i++) { /* would take minutes if it were quadratic */
        add_md5(&entries, 7, 7, i % 2 ? first : second);
    }
    entries_sort(&entries);
    assert_int_equal(entries.tables[LIST_MD5].n_rows, 1);
    assert_int_equal(list_get32(entries.tables[LIST_MD5].rows + 16) & LIST_LABEL_MASK, first);
    assert_int_equal(entries.n_duplicates[1], 49999);
    assert_int_equal(entries.n_duplicates[2], 50000);
    entries_fini(&entries);
}

static void many_names_are_kept_once_each(void **state)
{
    static struct entries entries;
    uint32_t labels[2];
    char name[16];

    for (size_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 30000; i++) {
            int n = snprintf(name, sizeof(name), "name-%u", i);

            assert_int_equal(entries_label(&entries, 3, name, (size_t)n, &labels[0]), 0);
            assert_int_equal(labels[0], i);
        }
    }
    assert_int_equal(entries.n_labels, 30000);
    entries_fini(&entries);
}

static void look_up(const char *list_name, const char *hash, struct list_hit *ret_hit)
{
    struct file_hashes hashes = {.has = {false}};
    struct list_file list;
    char error[LIST_ERROR_BYTES];

    assert_int_equal(list_file_open(&list, folder_path(list_name), error), 0);
    assert_int_equal(hash_take(&hashes, hash, strlen(hash)), HASH_GOOD);
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        if (hashes.has[a]) {
            assert_int_equal(
                list_file_find(&list, (enum list_algorithm)a, hashes.digests[a], ret_hit), 0);
        }
    }
    list_file_fini(&list);
}

#define EICAR_SHA256 "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY_MD5    "d41d8cd98f00b204e9800998ecf8427e"

/* The warning list is not named as one, and comes last: it must count all the same. */
static void allow_and_warning_lists_count_wherever_they_stand(void **state)
{
    const struct list_request requests[] = {
        {.path = "deny.txt"},
        {.path = "allow.txt", .role = FEED_ALLOW},
        {.path = "warning.json"},
        {.path = "test.txt", .role = FEED_TEST},
    };
    struct list_hit hit;

    folder_put_text("deny.txt", SHA256_OF("a") " Evil\n" SHA256_OF("b") "\n" SHA256_OF(
                                    "c") "\n" EICAR_SHA256 "\n" EMPTY_SHA256 "\n" EMPTY_MD5 "\n");
    folder_put_text("allow.txt", SHA256_OF("b") "\n");
    folder_put_text("warning.json",
                    "{\"list\": [\"" SHA256_OF("c") "\", \"" EICAR_SHA256
                                                    "\"], \"matching_attributes\": [\"sha256\"]}");
    folder_put_text("test.txt", SHA256_OF("d") "\n");
    folder_build("l.hashlist", requests, 4, 1);
    look_up("l.hashlist", SHA256_OF("a"), &hit);
    assert_int_equal(hit.action, LIST_DENY);
    assert_string_equal(hit.name, "Evil");
    assert_string_equal(hit.source, "deny.txt");
    look_up("l.hashlist", SHA256_OF("b"), &hit);
    assert_int_equal(hit.action, LIST_ALLOW);
    look_up("l.hashlist", SHA256_OF("c"), &hit);
    assert_int_equal(hit.action, LIST_NONE);
    look_up("l.hashlist", SHA256_OF("d"), &hit);
    assert_int_equal(hit.action, LIST_TEST);
    look_up("l.hashlist", EICAR_SHA256, &hit);
    assert_int_equal(hit.action, LIST_TEST);
    assert_string_equal(hit.source, "pes-self-test");
    /* Nobody blocks every empty file. */
    look_up("l.hashlist", EMPTY_SHA256, &hit);
    assert_int_equal(hit.action, LIST_NONE);
    look_up("l.hashlist", EMPTY_MD5, &hit);
    assert_int_equal(hit.action, LIST_NONE);
}

static void entries_are_called_as_they_say_or_as_was_asked_or_after_the_file(void **state)
{
    const struct list_request requests[] = {
        {.path = "samples.sha256"},
        {.path = "other.txt", .name = "Win/Some thing"},
    };
    struct list_hit hit;

    folder_put_text("samples.sha256", SHA256_OF("a") "\n" SHA256_OF("b") "  Own\n");
    folder_put_text("other.txt", SHA256_OF("c") "\n");
    folder_build("l.hashlist", requests, 2, 1);
    look_up("l.hashlist", SHA256_OF("a"), &hit);
    assert_string_equal(hit.name, "samples");
    assert_string_equal(hit.source, "samples.sha256");
    look_up("l.hashlist", SHA256_OF("b"), &hit);
    assert_string_equal(hit.name, "Own");
    look_up("l.hashlist", SHA256_OF("c"), &hit);
    assert_string_equal(hit.name, "Win/Some_thing");
    assert_string_equal(hit.source, "other.txt");
}

static void the_same_inputs_give_the_same_bytes(void **state)
{
    size_t n[2];
    uint8_t *bytes[2];

    for (size_t i = 0; i < 2; i++) {
        folder_build_text("l.hashlist", i == 0 ? SHA256_OF("1") "\n" SHA256_OF("2") "\n"
                                               : SHA256_OF("2") "\n" SHA256_OF("1") "\n");
        bytes[i] = folder_read("l.hashlist", &n[i]);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    free(bytes[0]);
    free(bytes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_of_every_kind_are_sorted),
        cmocka_unit_test(of_equal_digests_the_first_source_stays_and_the_others_are_counted),
        cmocka_unit_test(many_names_are_kept_once_each),
        cmocka_unit_test_setup_teardown(allow_and_warning_lists_count_wherever_they_stand, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            entries_are_called_as_they_say_or_as_was_asked_or_after_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_inputs_give_the_same_bytes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
