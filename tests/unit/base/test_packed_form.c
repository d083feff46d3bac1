/* What is packed is told from what is not: both ways, for each form, and within bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/packed_form.h"
#include "testing.h"

#define SAMPLE_BYTES 40000u

static uint8_t sample[SAMPLE_BYTES];

static const char *form(const char *bytes, size_t n_bytes)
{
    /* In memory of exactly that size, so that the address sanitizer sees each step beyond. */
    uint8_t *copy = malloc(n_bytes > 0 ? n_bytes : 1);
    const char *name;

    assert_non_null(copy);
    memcpy(copy, bytes, n_bytes);
    name = packed_form_name(copy, n_bytes);
    free(copy);
    return name;
}

#define FORM(literal) form(literal, sizeof(literal) - 1)

static void assert_form(const char *found, const char *expected)
{
    assert_non_null(found);
    assert_string_equal(found, expected);
}

static void marks_at_the_beginning_are_known(void **state)
{
    assert_form(FORM("PK\x03\x04 rest"), "zip");
    assert_form(FORM("PK\x05\x06 rest"), "zip");
    assert_form(FORM("\x1f\x8b\x08 rest"), "gzip");
    assert_form(FORM("BZh91AY&SY rest"), "bzip2");
    assert_form(FORM("\xfd\x37zXZ\0 rest"), "xz");
    assert_form(FORM("\x28\xb5\x2f\xfd rest"), "zstd");
    assert_form(FORM("\x51\x2a\x4d\x18 rest"), "zstd");
    assert_form(FORM("\x04\x22\x4d\x18 rest"), "lz4");
    assert_form(FORM("7z\xbc\xaf\x27\x1c rest"), "7z");
    assert_form(FORM("Rar!\x1a\x07\x01\0 rest"), "rar");
    assert_form(FORM("MSCF\0\0\0\0 rest"), "cab");
    assert_form(FORM("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest"), "ole");
    assert_form(FORM("{\\rtf1 text}"), "rtf");
    assert_form(FORM("!<arch>\ndebian-binary"), "ar");
    assert_form(FORM("  -lh5-rest"), "lha");
    assert_form(FORM("CWS\x06\x10\x20\x30\x40\x50"), "flash");
}

static void marks_further_in_are_known(void **state)
{
    memset(sample, 0, sizeof(sample));
    memcpy(sample + 32769, "CD001", 5);
    assert_form(form((char *)sample, sizeof(sample)), "iso");
    assert_null(form((char *)sample, 32769 + 4));
    memset(sample, 0, sizeof(sample));
    memcpy(sample + 1000, "koly", 4);
    assert_form(form((char *)sample, 1512), "dmg");
    assert_null(form((char *)sample, 1511));
    memset(sample, 'a', 1500);
    memcpy(sample + 900, "%PDF-1.7", 8);
    assert_form(form((char *)sample, 1500), "pdf");
    assert_form(FORM("%PDF-1.4 without any filter"), "pdf");
    memset(sample, 'a', 1500);
    memcpy(sample + 1020, "%PDF-1.7", 8);
    assert_null(form((char *)sample, 1500));
}

static void a_tar_is_known_by_its_mark_or_by_its_sum(void **state)
{
    uint32_t sum = 0;

    memset(sample, 0, 512);
    memcpy(sample, "member", 6);
    memcpy(sample + 257, "ustar", 5);
    assert_form(form((char *)sample, 512), "tar");
    memset(sample + 257, 0, 5);
    assert_null(form((char *)sample, 512));
    memset(sample + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += sample[i];
    }
    snprintf((char *)sample + 148, 8, "%06o", sum);
    sample[155] = ' ';
    assert_form(form((char *)sample, 512), "tar");
    assert_null(form((char *)sample, 511));
    sample[0]++;
    assert_null(form((char *)sample, 512));
}

static void a_zip_behind_something_else_is_known(void **state)
{
    /* A program's beginning, a directory of four bytes, and the record at the end. */
    static const char end[] = "\x7f"
                              "ELF and so on PK\x01\x02PK\x05\x06\0\0\0\0\x01\0\x01\0"
                              "\x04\0\0\0\0\0\0\0\x05\0hello";
    char other[sizeof(end)];

    assert_form(FORM(end), "zip");
    memcpy(other, end, sizeof(end));
    other[sizeof(end) - 1 - 5 - 22 + 12] = 5; /* points at something that is no directory */
    assert_null(form(other, sizeof(end) - 1));
    /* A program that works with ZIP has the mark in it. */
    assert_null(FORM("\x7f"
                     "ELF PK\x05\x06 PK\x01\x02 PK\x03\x04 and more, and more, and more"));
}

static void archives_behind_a_windows_program_are_known(void **state)
{
    assert_form(FORM("MZ program 7z\xbc\xaf\x27\x1c rest"), "7z");
    assert_form(FORM("MZ program Rar!\x1a\x07 rest"), "rar");
    assert_null(FORM("MZ program alone"));
}

static void mail_with_an_encoded_part_is_known(void **state)
{
    assert_form(FORM("From: a\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ=="), "mail");
    assert_form(FORM("From: a\ncontent-transfer-encoding:\n\tQuoted-Printable\n\na"), "mail");
    assert_form(FORM("From a\nSubject: a\n\n--b\nContent-Transfer-Encoding : x-uuencode\n"),
                "mail");
    assert_form(FORM("\nReceived: a\nContent-Transfer-Encoding: 7bitten\n"), "mail");
    assert_form(FORM("Subject: a\n\nbegin 644 file\n#86)C\n`\nend\n"), "mail");
}

static void mail_in_plain_is_not_packed(void **state)
{
    assert_null(FORM("From: a\nSubject: a\n\nhello\n"));
    assert_null(FORM("From: a\nContent-Transfer-Encoding: 7bit\n\nhello\n"));
    assert_null(FORM("From: a\nContent-Transfer-Encoding: \"8BIT\"; x\n\nhello\n"));
    assert_null(FORM("From: a\nContent-Transfer-Encoding: binary"));
    assert_null(FORM("From: a\nContent-Transfer-Encoding:"));
}

static void ordinary_things_are_not_packed(void **state)
{
    assert_null(FORM(""));
    assert_null(FORM("P"));
    assert_null(FORM("hello\n"));
    assert_null(FORM("BZh9 is how bzip2 begins"));
    assert_null(FORM("ls -lh and more"));
    assert_null(FORM("CWS is an abbreviation"));
    assert_null(FORM("070701 first of July"));
    assert_null(FORM("#!/bin/sh\necho 'Content-Transfer-Encoding: base64'\n"));
    assert_null(FORM("\x7f"
                     "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"));
    assert_null(FORM("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    assert_null(FORM("\xff\xd8\xff\xe0\0\x10JFIF"));
    assert_null(FORM("<!DOCTYPE html><p>hello"));
    assert_null(FORM("\xff\xfeh\0e\0l\0l\0o\0"));
    assert_null(FORM("{\"name\": \"value\"}"));
}

/* Whatever the length at which one of them is cut off, nothing is read behind the end. */
static void nothing_is_read_behind_the_end(void **state)
{
    static const char mail[] = "From: a\nContent-Transfer-Encoding: base64\n\nYQ==";
    static const char zip[] = "a PK\x01\x02PK\x05\x06\0\0\0\0\x01\0\x01\0\x04\0\0\0\0\0\0\0\0\0";

    for (size_t n = 0; n < sizeof(mail); n++) {
        (void)form(mail, n);
    }
    for (size_t n = 0; n < sizeof(zip) - 1; n++) {
        assert_null(form(zip, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_at_the_beginning_are_known),
        cmocka_unit_test(marks_further_in_are_known),
        cmocka_unit_test(a_tar_is_known_by_its_mark_or_by_its_sum),
        cmocka_unit_test(a_zip_behind_something_else_is_known),
        cmocka_unit_test(archives_behind_a_windows_program_are_known),
        cmocka_unit_test(mail_with_an_encoded_part_is_known),
        cmocka_unit_test(mail_in_plain_is_not_packed),
        cmocka_unit_test(ordinary_things_are_not_packed),
        cmocka_unit_test(nothing_is_read_behind_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
