/* Kinds: what the bytes say, then what the name says, then generic. */
#include <stdlib.h>
#include <string.h>

#include <pes/enums.h>

#include "cli/kind_guess.h"
#include "testing.h"

struct guess_case {
    const char *name;
    const char *head;
    size_t n_head;
    uint32_t kind;
};

/* A literal that may hold zero bytes. */
#define HEAD(text) (text), sizeof(text) - 1

static uint32_t guess(const char *name, const void *head, size_t n_head)
{
    /* On the heap and of the exact size, so that a read past the end is seen. */
    char *copy = malloc(n_head ? n_head : 1);
    struct kind_sample sample = {.name = name, .head = copy, .n_head = n_head};
    uint32_t kind;

    assert_non_null(copy);
    if (n_head > 0) {
        memcpy(copy, head, n_head);
    }
    kind = kind_guess(&sample);
    free(copy);
    return kind;
}

static void check(const struct guess_case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        const struct guess_case *c = &cases[i];

        if (guess(c->name, c->head, c->n_head) != c->kind) {
            fail_msg("case %zu ('%s'): kind %u, expected %u", i, c->name,
                     guess(c->name, c->head, c->n_head), c->kind);
        }
    }
}

static void programs_and_containers_are_told_by_their_first_bytes_whatever_their_name(void **state)
{
    static const struct guess_case cases[] = {
        {"a.txt",
         HEAD("\x7f"
              "ELF\2\1\1"),
         PES_KIND_CODE_ELF},
        {"a.txt", HEAD("\0asm\1\0\0\0"), PES_KIND_CODE_WASM},
        {"a.txt", HEAD("\xcf\xfa\xed\xfe\7\0\0\1"), PES_KIND_CODE_MACHO},
        {"a.txt", HEAD("\xca\xfe\xba\xbe\0\0\0\2"), PES_KIND_CODE_MACHO},
        {"a.txt", HEAD("\xca\xfe\xba\xbe\0\0\0\x41"), PES_KIND_CODE_BYTECODE},
        {"a.txt", HEAD("\xca\xfe\xba\xbe"), PES_KIND_CODE_BYTECODE},
        {"a.txt", HEAD("{\\rtf1"), PES_KIND_DOCUMENT_RTF},
        {"a.txt", HEAD("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), PES_KIND_DOCUMENT_OFFICE},
        {"a.txt", HEAD("%PDF-1.7"), PES_KIND_DOCUMENT_PDF},
        {"a.txt", HEAD("junk before\n%PDF-1.7"), PES_KIND_DOCUMENT_PDF},
        {"a.txt", HEAD("\x1f\x8b\x08"), PES_KIND_ARCHIVE},
        {"a.txt",
         HEAD("\xfd"
              "7zXZ\0"),
         PES_KIND_ARCHIVE},
        {"a.txt", HEAD("BZh9"), PES_KIND_ARCHIVE},
        {"a.txt", HEAD("7z\xbc\xaf\x27\x1c"), PES_KIND_ARCHIVE},
        {"a.txt", HEAD("PK\3\4\x14\0member"), PES_KIND_ARCHIVE},
        {"a.txt", HEAD("!<arch>\ndebian-binary   "), PES_KIND_PACKAGE},
    };

    check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void an_office_document_is_told_by_members_at_either_end(void **state)
{
    static const char first[] = "PK\3\4......[Content_Types].xml";
    static const char other[] = "PK\3\4......word/document.xml";
    static const char tail[] = "PK\1\2......[Content_Types].xml";
    static const char odf[] = "PK\3\4mimetypeapplication/vnd.oasis.opendocument.text";
    struct kind_sample sample = {.name = "x",
                                 .head = other,
                                 .n_head = sizeof(other) - 1,
                                 .tail = tail,
                                 .n_tail = sizeof(tail) - 1};

    assert_int_equal(guess("x", first, sizeof(first) - 1), PES_KIND_DOCUMENT_OFFICE);
    assert_int_equal(guess("x", odf, sizeof(odf) - 1), PES_KIND_DOCUMENT_OFFICE);
    assert_int_equal(guess("x", other, sizeof(other) - 1), PES_KIND_ARCHIVE);
    assert_int_equal(kind_guess(&sample), PES_KIND_DOCUMENT_OFFICE);
}

static void a_windows_program_needs_more_than_its_two_letters(void **state)
{
    char head[64] = "MZ";

    assert_int_equal(guess("x", head, sizeof(head)), PES_KIND_CODE_PE);
    assert_int_equal(guess("x", "MZ is a label", 13), PES_KIND_GENERIC);
}

static void a_tar_archive_is_told_by_its_mark_behind_the_name(void **state)
{
    char head[512] = "file";

    memcpy(head + 257, "ustar", 5);
    assert_int_equal(guess("x", head, sizeof(head)), PES_KIND_ARCHIVE);
    assert_int_equal(guess("x", head, 261), PES_KIND_GENERIC);
}

static void a_script_is_told_by_its_interpreter_and_not_by_its_name(void **state)
{
    static const struct guess_case cases[] = {
        {"a.py", HEAD("#!/bin/sh\n"), PES_KIND_SCRIPT_SHELL},
        {"a", HEAD("#!/bin/bash -e\n"), PES_KIND_SCRIPT_SHELL},
        {"a", HEAD("#! /usr/bin/env python3\n"), PES_KIND_SCRIPT_PYTHON},
        {"a", HEAD("#!/usr/bin/env -S LANG=C python3.11 -u\n"), PES_KIND_SCRIPT_PYTHON},
        {"a", HEAD("#!/usr/bin/perl\r\n"), PES_KIND_SCRIPT_PERL},
        {"a", HEAD("#!/usr/bin/ruby3.1"), PES_KIND_SCRIPT_RUBY},
        {"a", HEAD("#!/usr/bin/node"), PES_KIND_SCRIPT_JAVASCRIPT},
        {"a", HEAD("#!/usr/bin/pwsh\n"), PES_KIND_SCRIPT_POWERSHELL},
        {"a", HEAD("#!/usr/bin/php\n"), PES_KIND_SCRIPT_PHP},
        {"a", HEAD("#!/usr/bin/lua5.4\n"), PES_KIND_SCRIPT_LUA},
        {"a", HEAD("#!/opt/own/thing\n"), PES_KIND_SCRIPT_OTHER},
        {"a", HEAD("#!\n"), PES_KIND_SCRIPT_OTHER},
        {"a", HEAD("#!"), PES_KIND_SCRIPT_OTHER},
        {"a", HEAD("<?php echo 1;"), PES_KIND_SCRIPT_PHP},
    };

    check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void pages_and_mails_are_told_by_how_they_begin(void **state)
{
    static const struct guess_case cases[] = {
        {"a", HEAD("<!DOCTYPE html><title>"), PES_KIND_DOCUMENT_HTML},
        {"a", HEAD("\xef\xbb\xbf \n<HTML>"), PES_KIND_DOCUMENT_HTML},
        {"a", HEAD("<script>alert(1)"), PES_KIND_DOCUMENT_HTML},
        {"a", HEAD("<p"), PES_KIND_GENERIC},
        {"a", HEAD("From: a@b\r\nTo: c@d\r\n\r\ntext"), PES_KIND_MAIL_MESSAGE},
        {"a", HEAD("Received: by x;\n\tTue\nSubject: s\n\ntext"), PES_KIND_MAIL_MESSAGE},
        {"a", HEAD("From a@b Thu Jan  1\nSubject: s\n\ntext"), PES_KIND_MAIL_MESSAGE},
        {"a", HEAD("From: a@b\n\nTo: c@d\n"), PES_KIND_GENERIC},
        {"a", HEAD("Note: x\nFrom: a\nTo: b\n"), PES_KIND_GENERIC},
        {"a", HEAD("From: only"), PES_KIND_GENERIC},
    };

    check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void plain_text_goes_by_the_extension_in_any_case_then_generic(void **state)
{
    static const struct guess_case cases[] = {
        {"dir/a.SH", HEAD("echo"), PES_KIND_SCRIPT_SHELL},
        {"a.ps1", HEAD("Write-Host"), PES_KIND_SCRIPT_POWERSHELL},
        {"a.py", HEAD("import os"), PES_KIND_SCRIPT_PYTHON},
        {"a.js", HEAD("var x"), PES_KIND_SCRIPT_JAVASCRIPT},
        {"a.php", HEAD("text"), PES_KIND_SCRIPT_PHP},
        {"a.pl", HEAD("use strict"), PES_KIND_SCRIPT_PERL},
        {"a.rb", HEAD("puts"), PES_KIND_SCRIPT_RUBY},
        {"a.lua", HEAD("print"), PES_KIND_SCRIPT_LUA},
        {"a.vbs", HEAD("Dim x"), PES_KIND_SCRIPT_VBA},
        {"a.sql", HEAD("SELECT"), PES_KIND_SCRIPT_SQL},
        {"a.html", HEAD("text"), PES_KIND_DOCUMENT_HTML},
        {"a.eml", HEAD("text"), PES_KIND_MAIL_MESSAGE},
        {"a.sh", HEAD(""), PES_KIND_SCRIPT_SHELL},
        {"a.sh/b", HEAD("text"), PES_KIND_GENERIC},
        {".py", HEAD("text"), PES_KIND_GENERIC},
        {"a.", HEAD("text"), PES_KIND_GENERIC},
        {"a", HEAD("text"), PES_KIND_GENERIC},
        {"", HEAD(""), PES_KIND_GENERIC},
    };

    check(cases, sizeof(cases) / sizeof(cases[0]));
    assert_int_equal(guess(NULL, "", 0), PES_KIND_GENERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_containers_are_told_by_their_first_bytes_whatever_their_name),
        cmocka_unit_test(an_office_document_is_told_by_members_at_either_end),
        cmocka_unit_test(a_windows_program_needs_more_than_its_two_letters),
        cmocka_unit_test(a_tar_archive_is_told_by_its_mark_behind_the_name),
        cmocka_unit_test(a_script_is_told_by_its_interpreter_and_not_by_its_name),
        cmocka_unit_test(pages_and_mails_are_told_by_how_they_begin),
        cmocka_unit_test(plain_text_goes_by_the_extension_in_any_case_then_generic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
