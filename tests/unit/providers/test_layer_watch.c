/*
 * What content promises against what the engine looked at: ZIP indexes whole, cut and lying, forms
 * that nothing opens, and rows of layers as libclamav tells of them.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "providers/clamav/closed_form.h"
#include "providers/clamav/layer_watch.h"
#include "providers/clamav/zip_index.h"
#include "testing.h"

struct member {
    const char *content;
    uint16_t flags;
    uint16_t method;
};

static void put(uint8_t **at, uint32_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        *(*at)++ = (uint8_t)(i < 4 ? value >> 8 * i : 0);
    }
}

/* Only what the index needs: the members themselves are left out. */
static size_t make_zip(uint8_t *bytes, const struct member *members, size_t n_members)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < n_members; i++) {
        uint32_t n = (uint32_t)strlen(members[i].content);

        put(&at, 0x02014b50, 4);
        put(&at, 10, 2);
        put(&at, 10, 2);
        put(&at, members[i].flags, 2);
        put(&at, members[i].method, 2);
        put(&at, 0, 4);
        put(&at, (uint32_t)crc32_z(0, (const uint8_t *)members[i].content, n), 4);
        put(&at, n, 4);
        put(&at, n, 4);
        put(&at, 1, 2); /* name */
        put(&at, 3, 2); /* extra */
        put(&at, 2, 2); /* comment */
        put(&at, 0, 12);
        memcpy(at, "nexxcc", 6);
        at += 6;
    }
    put(&at, 0x06054b50, 4);
    put(&at, 0, 4);
    put(&at, (uint32_t)n_members, 2);
    put(&at, (uint32_t)n_members, 2);
    put(&at, (uint32_t)(at - bytes - 12), 4);
    put(&at, 0, 4);
    put(&at, 0, 2);
    return (size_t)(at - bytes);
}

static const struct member members[] = {
    {"hello world", 0, 0},   {"something", 0, 8}, {"tiny", 0, 0},     {"", 0, 0},
    {"secret things", 1, 8}, {"by zstd", 0, 93},  {"by lzma", 0, 14},
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static void an_index_is_counted(void **state)
{
    uint8_t bytes[1024];
    size_t n = make_zip(bytes, members, N_MEMBERS);
    struct zip_index index;

    assert_true(zip_index_read(&index, bytes, n, true));
    assert_false(index.is_broken);
    assert_int_equal(index.n_members, 5); /* without those that are next to nothing */
    assert_int_equal(index.n_encrypted, 1);
    assert_int_equal(index.n_unsupported, 2);
}

/* On the heap, so that a sanitizer sees a byte too far. */
static void every_cut_is_broken_and_in_bounds(void **state)
{
    uint8_t bytes[1024];
    size_t n = make_zip(bytes, members, N_MEMBERS);
    struct zip_index index;

    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut + 1);

        assert_non_null(copy);
        memmove(copy, bytes, cut);
        assert_true(zip_index_read(&index, copy, cut, true));
        assert_true(index.is_broken);
        assert_false(zip_index_read(&index, copy, cut, false));
        memmove(copy, bytes + n - cut, cut);
        (void)zip_index_read(&index, copy, cut, true);
        free(copy);
    }
}

static void every_flipped_bit_stays_in_bounds(void **state)
{
    uint8_t bytes[1024];
    size_t n = make_zip(bytes, members, N_MEMBERS);
    struct zip_index index;

    for (size_t bit = 0; bit < 8 * n; bit++) {
        uint8_t *copy = malloc(n);

        assert_non_null(copy);
        memcpy(copy, bytes, n);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)zip_index_read(&index, copy, n, true);
        assert_true(index.n_members <= N_MEMBERS);
        free(copy);
    }
}

static void forms_that_nothing_opens_are_known(void **state)
{
    static const uint8_t lzma[] = {0x5d, 0,    0,    0x80, 0,    0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0,    1};
    static const uint8_t sized[] = {0x5d, 0, 0, 0x80, 0, 68, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const char text[] = "]\0\0 a text may begin with a bracket";

    assert_true(closed_form_is_packed(lzma, sizeof(lzma)));
    assert_true(closed_form_is_packed(sized, sizeof(sized)));
    assert_false(closed_form_is_packed(lzma, 13));
    assert_false(closed_form_is_packed((const uint8_t *)text, sizeof(text)));
    assert_true(closed_form_is_packed((const uint8_t *)"\x28\xb5\x2f\xfd", 4));
    assert_false(closed_form_is_packed((const uint8_t *)"\x28\xb5\x2f", 3));
    assert_true(closed_form_is_packed((const uint8_t *)"1234567**ACE**", 14));
    assert_false(closed_form_is_packed((const uint8_t *)"", 0));
}

static void encrypted_office_documents_are_known(void **state)
{
    uint8_t bytes[2048] = {0};

    assert_false(closed_form_is_encrypted_ole2(bytes, sizeof(bytes)));
    memcpy(bytes + 512, "\xec\xa5\xc1\0\x59\0\x09\x04\0\0\0\x13", 12); /* Word, encrypted */
    assert_true(closed_form_is_encrypted_ole2(bytes, sizeof(bytes)));
    bytes[523] = 0x12;
    assert_false(closed_form_is_encrypted_ole2(bytes, sizeof(bytes)));
    memcpy(bytes + 1024, "\x09\x08\x10\0", 4); /* a workbook, then FILEPASS */
    bytes[1024 + 20] = 0x2f;
    assert_true(closed_form_is_encrypted_ole2(bytes, sizeof(bytes)));
    assert_false(closed_form_is_encrypted_ole2(bytes, 1024 + 511));
    memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < 16; i++) {
        bytes[700 + 2 * i] = (uint8_t) "EncryptedPackage"[i];
    }
    assert_true(closed_form_is_encrypted_ole2(bytes, sizeof(bytes)));
}

/* ---- layers ---- */

static struct layer_watch watch;

static void see(const char *type, const void *bytes, size_t n_bytes, uint32_t level)
{
    layer_watch_take(&watch, &(struct layer_seen){
                                 .type = type,
                                 .bytes = bytes,
                                 .n_bytes = n_bytes,
                                 .level = level,
                                 .is_named = level > 0,
                             });
}

static void see_text(const char *text, uint32_t level)
{
    see("CL_TYPE_TEXT_ASCII", text, strlen(text), level);
}

static uint32_t gaps(void)
{
    layer_watch_end(&watch);
    return watch.gaps;
}

static void an_archive_is_whole_when_every_member_came_out(void **state)
{
    uint8_t bytes[1024];
    size_t n = make_zip(bytes, members, 4);

    layer_watch_init(&watch);
    see("CL_TYPE_ZIP", bytes, n, 0);
    see_text("hello world", 1);
    see_text("something", 1);
    assert_int_equal(gaps(), 0);

    layer_watch_init(&watch);
    see("CL_TYPE_ZIP", bytes, n, 0);
    see_text("hello world", 1);
    assert_int_equal(gaps(), GAP_DEPTH);

    layer_watch_init(&watch);
    see("CL_TYPE_ZIP", bytes, n, 0);
    see_text("hello worle", 1);
    see_text("something", 1);
    assert_int_equal(gaps(), GAP_MALFORMED);

    layer_watch_init(&watch);
    see("CL_TYPE_ZIP", bytes, make_zip(bytes, members, N_MEMBERS), 0);
    see_text("hello world", 1);
    see_text("something", 1);
    assert_int_equal(gaps(), GAP_ENCRYPTED | GAP_UNSUPPORTED);
}

static void a_layer_that_is_not_told_of_passes_its_members_on(void **state)
{
    uint8_t bytes[1024];
    size_t n = make_zip(bytes, members, 4);

    layer_watch_init(&watch);
    see("CL_TYPE_BINARY_DATA", bytes, n, 0);
    see_text("hello world", 2);
    see_text("something", 2);
    assert_int_equal(gaps(), 0);

    layer_watch_init(&watch);
    see("CL_TYPE_BINARY_DATA", bytes, n, 0);
    assert_int_equal(gaps(), GAP_DEPTH);
}

static void a_container_that_nothing_came_out_of_is_a_gap(void **state)
{
    layer_watch_init(&watch);
    see("CL_TYPE_7Z", "7z", 2, 0);
    assert_int_equal(gaps(), GAP_UNSUPPORTED);
    layer_watch_init(&watch);
    see("CL_TYPE_7Z", "7z", 2, 0);
    see_text("content", 1);
    see("CL_TYPE_RAR", "Rar!", 4, 1);
    assert_int_equal(gaps(), GAP_UNSUPPORTED);
}

static void a_gzip_file_is_held_against_its_length(void **state)
{
    uint8_t gz[18] = {0x1f, 0x8b, 8, [14] = 7};
    uint32_t crc = (uint32_t)crc32_z(0, (const uint8_t *)"content", 7);
    uint8_t *at = gz + 10;

    put(&at, crc, 4);

    layer_watch_init(&watch);
    see("CL_TYPE_GZ", gz, sizeof(gz), 0);
    see_text("content", 1);
    assert_int_equal(gaps(), 0);
    layer_watch_init(&watch);
    see("CL_TYPE_GZ", gz, sizeof(gz), 0);
    see_text("conten", 1);
    assert_int_equal(gaps(), GAP_MALFORMED);
    layer_watch_init(&watch);
    see("CL_TYPE_GZ", gz, sizeof(gz), 0);
    see_text("of an earlier file, content", 1);
    assert_int_equal(gaps(), 0);
    layer_watch_init(&watch);
    see("CL_TYPE_GZ", gz, sizeof(gz), 0);
    see_text("contend", 1);
    assert_int_equal(gaps(), GAP_MALFORMED);
}

static void no_depth_is_too_deep(void **state)
{
    layer_watch_init(&watch);
    for (uint32_t level = 0; level < 2 * LAYERS_MAX; level++) {
        see_text("content", level);
    }
    assert_int_equal(gaps(), GAP_DEPTH);
    layer_watch_init(&watch);
    see_text("content", UINT32_MAX);
    assert_int_equal(gaps(), GAP_DEPTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_is_counted),
        cmocka_unit_test(every_cut_is_broken_and_in_bounds),
        cmocka_unit_test(every_flipped_bit_stays_in_bounds),
        cmocka_unit_test(forms_that_nothing_opens_are_known),
        cmocka_unit_test(encrypted_office_documents_are_known),
        cmocka_unit_test(an_archive_is_whole_when_every_member_came_out),
        cmocka_unit_test(a_layer_that_is_not_told_of_passes_its_members_on),
        cmocka_unit_test(a_container_that_nothing_came_out_of_is_a_gap),
        cmocka_unit_test(a_gzip_file_is_held_against_its_length),
        cmocka_unit_test(no_depth_is_too_deep),
    };

    return cmocka_run_group_tests_name("providers/layer_watch", tests, NULL, NULL);
}
