/* What each format of feed comes to: accepted, duplicate, suppressed, refused, ignored. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hashlist_fixture.h"
#include "testing.h"

#define A SHA256_OF("a")
#define B SHA256_OF("b")
#define C SHA256_OF("c")

static void read_text(struct feed_case *c, const char *path, const char *text)
{
    if (feed_case_text(c, path, text) < 0) {
        fail_msg("%s: %s", path, c->feed.failure);
    }
}

static void plain_takes_hashes_names_and_comments(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "list.txt",
              "# comment\n\n; another\n" A
              "\r\n\xef\xbb\xbf" MD5_OF("1") "\n  " B " \t; said behind it\n" SHA1_OF(
                  "2") ",EvilFam,2024\n" C
                       "  *invoice.exe\n" MD5_OF("3") "|Some name (x)\n" MD5_OF("4") " B");
    ASSERT_COUNTS(&c, 7, 0, 0, 0, 0);
    assert_int_equal(c.feed.format, FEED_PLAIN);
    assert_string_equal(feed_case_name(&c, A), "unnamed");
    assert_string_equal(feed_case_name(&c, B), "unnamed");
    assert_string_equal(feed_case_name(&c, SHA1_OF("2")), "EvilFam");
    assert_string_equal(feed_case_name(&c, C), "invoice.exe");
    assert_string_equal(feed_case_name(&c, MD5_OF("3")), "Some_name_x");
    assert_string_equal(feed_case_name(&c, MD5_OF("4")), "B");
    feed_case_fini(&c);
}

static void plain_names_the_line_that_is_broken(void **state)
{
    static char text[40000];
    struct feed_case c = {.sink = {.now = 0}};

    strcpy(text, A "\n" SHA256_OF("g") "\n" MD5_OF("1") "1\n");
    memset(text + strlen(text), 'x', 20000);
    strcat(text, "\nhttp://example.org/a.exe\n" SHA256_OF("d") SHA256_OF("d") "\n" B "\n");
    read_text(&c, "list.txt", text);
    ASSERT_COUNTS(&c, 2, 0, 0, 4, 1); /* SHA-512 is a hash that lists here do not have */
    assert_string_equal(c.feed.broken[0].place, "2");
    assert_non_null(strstr(c.feed.broken[0].reason, "hexadecimal"));
    assert_string_equal(c.feed.broken[1].place, "3");
    assert_non_null(strstr(c.feed.broken[1].reason, "length"));
    assert_string_equal(c.feed.broken[2].place, "4");
    assert_non_null(strstr(c.feed.broken[2].reason, "16 KiB"));
    assert_string_equal(c.feed.broken[3].place, "5");
    feed_case_fini(&c);
}

static void the_same_hash_counts_once(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "list.txt", A " First\n" B "\n" SHA256_OF("A") " Second\n" A "\n");
    ASSERT_COUNTS(&c, 2, 2, 0, 0, 0);
    assert_string_equal(feed_case_name(&c, A), "First");
    feed_case_fini(&c);
}

static void warned_hashes_are_suppressed_whichever_of_a_row_it_is(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};
    const char *warning = MD5_OF("7") "\n" B "\n";
    const char *rows =
        "sha256,md5,name\n" A "," MD5_OF("7") ",x\n" B ",,x\n" C "," MD5_OF("8") ",x\n";

    assert_int_equal(feed_case_read(&c, "w.txt", FEED_WARNING, FEED_AUTO, warning, strlen(warning)),
                     0);
    ASSERT_COUNTS(&c, 2, 0, 0, 0, 0);
    read_text(&c, "list.csv", rows);
    ASSERT_COUNTS(&c, 1, 0, 2, 0, 0);
    assert_null(feed_case_name(&c, A));
    assert_non_null(feed_case_name(&c, C));
    feed_case_fini(&c);
}

static void csv_of_malwarebazaar(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "full.csv",
              "################################################################\r\n"
              "# MalwareBazaar full malware samples dump (CSV), and more words\r\n"
              "#\r\n"
              "# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"file_name\","
              "\"signature\",\"imphash\"\r\n"
              "\"2024-02-22 10:00:00\", \"" A "\", \"" MD5_OF("1") "\", \"" SHA1_OF(
                  "1") "\", \"a, \"\"b\"\".exe\", \"AgentTesla\", "
                       "\"" MD5_OF("9") "\"\r\n"
                                        "\"2024-02-22 10:00:00\", \"n/a\", "
                                        "\"" MD5_OF("2") "\", \"n/a\", \"b\", \"n/a\", "
                                                         "\"n/a\"\r\n"
                                                         "\"2024-02-22 10:00:00\", "
                                                         "\"" MD5_OF("2") "\", \"n/a\", "
                                                                          "\"n/a\", \"b\", "
                                                                          "\"\", \"\"\r\n"
                                                                          "\"2024-02-22 "
                                                                          "10:00:00\", \"" B
                                                                          "\", \"n/a\", "
                                                                          "\"n/a\", \"open\r\n"
                                                                          "\"2024-02-22 "
                                                                          "10:00:00\", "
                                                                          "\"n/a\", \"n/a\", "
                                                                          "\"n/a\", \"b\", "
                                                                          "\"n/a\", \"n/a\"\r\n"
                                                                          "\"2024-02-22 "
                                                                          "10:00:00\", \"" B
                                                                          "\"\r\n"
                                                                          "# Number of "
                                                                          "entries: 6\r\n");
    assert_int_equal(c.feed.format, FEED_CSV);
    ASSERT_COUNTS(&c, 2, 0, 0, 3, 1);
    assert_string_equal(feed_case_name(&c, A), "AgentTesla");
    /* Of a row only the strongest hash; the import hash is none of a file. */
    assert_null(feed_case_name(&c, MD5_OF("1")));
    assert_null(feed_case_name(&c, MD5_OF("9")));
    assert_string_equal(feed_case_name(&c, MD5_OF("2")), "unnamed");
    assert_string_equal(c.feed.broken[0].place, "7");
    assert_string_equal(c.feed.broken[1].place, "8");
    assert_string_equal(c.feed.broken[2].place, "10");
    feed_case_fini(&c);
}

static void csv_of_threatfox(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "recent.csv",
              "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\","
              "\"fk_malware\",\"malware_alias\",\"malware_printable\"\n"
              "\"2024\", \"1\", \"" A "\", \"sha256_hash\", \"payload\", \"win.x\", \"\", \"Cobalt "
              "Strike\"\n"
              "\"2024\", \"2\", \"198.51.100.7:443\", \"ip:port\", \"cc\", \"win.x\", \"\", \"X\"\n"
              "\"2024\", \"3\", \"" MD5_OF(
                  "1") "\", \"md5_hash\", \"payload\", \"w\", \"\", \"X\"\n"
                       "\"2024\", \"4\", \"" MD5_OF(
                           "1") "\", \"sha1_hash\", \"payload\", \"w\", \"\", \"X\"\n");
    ASSERT_COUNTS(&c, 2, 0, 0, 1, 1);
    assert_string_equal(feed_case_name(&c, A), "Cobalt_Strike");
    feed_case_fini(&c);
}

static void csv_of_urlhaus_payloads(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "payloads.csv",
              "# URLhaus Database Dump (CSV - payloads)\n"
              "# firstseen,url,filetype,md5,sha256,signature\n"
              "\"2024-01-01\",\"http://example.org/a\",\"exe\",\"" MD5_OF(
                  "1") "\",\"" A "\",\"None\"\n"
                       "\"2024-01-01\",\"http://example.org/b\",\"exe\",\"" MD5_OF(
                           "2") "\",\"" B "\",\"Mirai\"\n");
    ASSERT_COUNTS(&c, 2, 0, 0, 0, 0);
    assert_string_equal(feed_case_name(&c, A), "unnamed");
    assert_string_equal(feed_case_name(&c, B), "Mirai");
    feed_case_fini(&c);
}

static void what_only_looks_like_a_list_is_refused_as_a_whole(void **state)
{
    static const struct {
        const char *path;
        const char *bytes;
        size_t n;
        const char *why;
    } cases[] = {
        {"x.csv", "\"a\",\"b\"\n\"1\",\"2\"\n", 16, "names a column sha256"},
        {"sslbl.csv", "# Listingdate,SHA1,Listingreason\n\"2024\",\"" SHA1_OF("1") "\",\"x\"\n", 90,
         "names a column sha256"},
        {"hashes.csv", MD5_OF("1") ",5a1b2c3d-0000-4000-8000-123456789abc\n", 70,
         "index of a MISP feed"},
        {"full.zip", "PK\x03\x04zzzz", 8, "unpack"},
        {"full.gz", "\x1f\x8b\x08zz", 5, "unpack"},
        {"utf16.txt",
         "\xff\xfe"
         "a\0a\0",
         6, "UTF-16"},
        {"cut.json", "{\"Event\": {\"Attribute\": [", 25, "1:25: not JSON"},
        {"other.json", "{\"some\": \"thing\"}", 17, "neither an event"},
        {"array.json", "[1, 2]", 6, "neither an event"},
        {"bundle.json", "{\"type\": \"bundle\"}", 18, "without objects"},
        {"response.json", "{\"response\": 1}", 15, "no event of MISP"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct feed_case c = {.sink = {.now = 0}};

        assert_int_equal(
            feed_case_read(&c, cases[i].path, FEED_DENY, FEED_AUTO, cases[i].bytes, cases[i].n),
            -EBADMSG);
        if (!strstr(c.feed.failure, cases[i].why)) {
            fail_msg("%s: '%s' does not say '%s'", cases[i].path, c.feed.failure, cases[i].why);
        }
        feed_case_fini(&c);
    }
}

static void json_that_is_too_deep_is_refused_before_it_is_parsed(void **state)
{
    static char text[200000];
    struct feed_case c = {.sink = {.now = 0}};

    strcpy(text, "{\"Event\": \"[[[ \\\\\", \n \"x\": ");
    memset(text + strlen(text), '[', 100000);
    assert_int_equal(feed_case_text(&c, "deep.json", text), -EBADMSG);
    assert_non_null(strstr(c.feed.failure, "2: JSON that is nested more than 64 deep"));
    feed_case_fini(&c);
}

static void a_comment_about_hashes_does_not_make_a_table(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "list.txt", "# md5, sha1 and sha256 hashes\n# MD5\n" A "\n" MD5_OF("1") "\n");
    assert_int_equal(c.feed.format, FEED_PLAIN);
    ASSERT_COUNTS(&c, 2, 0, 0, 0, 0);
    feed_case_fini(&c);
}

static void clamav_takes_hashes_of_files_only(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(
        &c, "x.hsb",
        A ":*:Win.Test-1:73\n" MD5_OF("1") ":68:Eicar\n" SHA1_OF(
            "2") ":12:X:73:255\n"
                 "1234:" MD5_OF("3") ":PE.Section\n" MD5_OF("4") ":12:\n" MD5_OF(
                     "5") ":12\n" MD5_OF("6") ":a:X\n" MD5_OF("7") ":1:X:y\n" MD5_OF("8") ":1:X:1:"
                                                                                          "2:3\n"
                                                                                          "zz:1:"
                                                                                          "X\n# "
                                                                                          "comment"
                                                                                          "\n");
    assert_int_equal(c.feed.format, FEED_CLAMAV);
    ASSERT_COUNTS(&c, 3, 0, 0, 7, 0);
    assert_string_equal(feed_case_name(&c, A), "Win.Test-1");
    assert_non_null(strstr(c.feed.broken[0].reason, "section"));
    feed_case_fini(&c);
}

static void misp_takes_what_is_marked_for_detection(void **state)
{
    static const char event[] =
        "{\"Event\": {\"info\": \"Big campaign (2024)\", \"Attribute\": ["
        "{\"type\": \"sha256\", \"value\": \"" A "\", \"to_ids\": true},"
        "{\"type\": \"filename|sha1\", \"value\": \"a|b.exe|" SHA1_OF(
            "1") "\", \"to_ids\": \"1\"},"
                 "{\"type\": \"malware-sample\", \"value\": \"a.exe|" MD5_OF(
                     "2") "\", \"to_ids\": 1},"
                          "{\"type\": \"md5\", \"value\": \"" MD5_OF(
                              "3") "\", \"to_ids\": false},"
                                   "{\"type\": \"md5\", \"value\": \"" MD5_OF(
                                       "4") "\", \"to_ids\": true, \"deleted\": true},"
                                            "{\"type\": \"imphash\", \"value\": \"" MD5_OF(
                                                "5") "\", \"to_ids\": true},"
                                                     "{\"type\": \"domain\", \"value\": "
                                                     "\"example.org\", \"to_ids\": true},"
                                                     "{\"type\": \"sha1\", \"value\": \"" MD5_OF(
                                                         "6") "\", \"to_ids\": true},"
                                                              "{\"type\": \"filename|md5\", "
                                                              "\"value\": \"a.exe\", \"to_ids\": "
                                                              "true},"
                                                              "{\"value\": \"x\"}],"
                                                              "\"Object\": [{\"name\": \"file\", "
                                                              "\"Attribute\": ["
                                                              "{\"type\": \"md5\", \"value\": "
                                                              "\"" MD5_OF(
                                                                  "7") "\", \"to_ids\": true}]},"
                                                                       "{\"deleted\": true, "
                                                                       "\"Attribute\": ["
                                                                       "{\"type\": \"md5\", "
                                                                       "\"value\": \"" MD5_OF(
                                                                           "8") "\", \"to_ids\": "
                                                                                "true}]}]}}";
    struct feed_case c = {.sink = {.now = 0}};

    read_text(&c, "event.json", event);
    assert_int_equal(c.feed.format, FEED_MISP);
    ASSERT_COUNTS(&c, 4, 0, 0, 3, 5);
    assert_int_equal(c.feed.n_unmarked, 1);
    assert_string_equal(feed_case_name(&c, A), "Big_campaign_2024");
    assert_string_equal(c.feed.broken[0].place, "/Event/Attribute/7");
    assert_null(feed_case_name(&c, MD5_OF("3")));
    assert_non_null(feed_case_name(&c, MD5_OF("7")));
    feed_case_fini(&c);

    c = (struct feed_case){.sink = {.takes_all_ids = true}};
    read_text(&c, "event.json", event);
    ASSERT_COUNTS(&c, 5, 0, 0, 3, 4);
    feed_case_fini(&c);
}

static void misp_events_come_in_four_forms(void **state)
{
#define EVENT     "{\"Event\": {\"Attribute\": [" ATTRIBUTE "]}}"
#define ATTRIBUTE "{\"type\": \"sha256\", \"value\": \"" A "\", \"to_ids\": true}"
    static const char *const forms[] = {EVENT, "[" EVENT "]", "{\"response\": [" EVENT ", {}]}",
                                        "{\"response\": {\"Attribute\": [" ATTRIBUTE "]}}"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct feed_case c = {.sink = {.now = 0}};

        read_text(&c, "event.json", forms[i]);
        ASSERT_COUNTS(&c, 1, 0, 0, i == 2 ? 1 : 0, 0);
        feed_case_fini(&c);
    }
}

static void warning_lists_count_when_they_are_about_files(void **state)
{
    struct feed_case c = {.sink = {.now = 0}};

    read_text(
        &c, "w.json",
        "{\"list\": [\"" A "\", \"3::\", \"example.org\", 7, \"" SHA256_OF("d") SHA256_OF(
            "d") "\"], \"matching_attributes\": [\"md5\", \"sha256\"], \"type\": \"string\"}");
    assert_int_equal(c.feed.role, FEED_WARNING);
    ASSERT_COUNTS(&c, 1, 0, 0, 1, 3);
    assert_int_equal(c.sink.listed.tables[LIST_SHA256].n_rows, 0);
    assert_int_equal(c.sink.warned.tables[LIST_SHA256].n_rows, 1);
    feed_case_fini(&c);
    c = (struct feed_case){.sink = {.now = 0}};
    read_text(&c, "w.json", "{\"list\": [\"" A "\"], \"matching_attributes\": [\"domain\"]}");
    ASSERT_COUNTS(&c, 0, 0, 0, 0, 1);
    feed_case_fini(&c);
}

static void stix_takes_indicators_and_samples_of_malware(void **state)
{
    struct feed_case c = {.sink = {.now = 1700000000}};

    read_text(
        &c, "bundle.json",
        "{\"type\": \"bundle\", \"objects\": ["
        "{\"type\": \"indicator\", \"name\": \"One\", \"pattern_type\": \"stix\", \"pattern\": "
        "\"[file:hashes.'SHA-256' = '" A "']\"},"
        "{\"type\": \"indicator\", \"revoked\": true, \"pattern\": \"[file:hashes.MD5 = '" MD5_OF(
            "1") "']\"},"
                 "{\"type\": \"indicator\", \"valid_until\": \"2020-01-01T00:00:00Z\", "
                 "\"pattern\": "
                 "\"[file:hashes.MD5 = '" MD5_OF(
                     "1") "']\"},"
                          "{\"type\": \"indicator\", \"valid_until\": "
                          "\"2999-01-01T00:00:00.000Z\", \"pattern\": "
                          "\"[file:hashes.MD5 = '" MD5_OF(
                              "2") "']\"},"
                                   "{\"type\": \"indicator\", \"indicator_types\": [\"benign\"], "
                                   "\"pattern\": "
                                   "\"[file:hashes.MD5 = '" MD5_OF(
                                       "1") "']\"},"
                                            "{\"type\": \"indicator\", \"pattern_type\": \"yara\", "
                                            "\"pattern\": \"rule x {}\"},"
                                            "{\"type\": \"indicator\", \"pattern\": "
                                            "\"[domain-name:value = 'example.org']\"},"
                                            "{\"type\": \"indicator\", \"pattern\": "
                                            "\"[file:hashes.MD5 = 'zz']\"},"
                                            "{\"type\": \"indicator\"},"
                                            "{\"type\": \"malware\", \"name\": \"Two\", "
                                            "\"sample_refs\": [\"file--1\"]},"
                                            "{\"type\": \"file\", \"id\": \"file--1\", \"hashes\": "
                                            "{\"SHA-256\": \"" B "\", \"MD5\": \"" MD5_OF(
                                                "3") "\"}},"
                                                     "{\"type\": \"file\", \"id\": \"file--2\", "
                                                     "\"hashes\": {\"SHA-256\": \"" C "\"}},"
                                                     "{\"type\": \"malware-analysis\", \"result\": "
                                                     "\"benign\", \"sample_ref\": \"file--2\"},"
                                                     "{\"type\": \"relationship\", \"source_ref\": "
                                                     "\"x\", \"target_ref\": \"file--2\"}]}");
    assert_int_equal(c.feed.format, FEED_STIX);
    ASSERT_COUNTS(&c, 3, 0, 0, 2, 6);
    assert_string_equal(feed_case_name(&c, A), "One");
    assert_string_equal(feed_case_name(&c, B), "Two");
    assert_null(feed_case_name(&c, C));
    assert_null(feed_case_name(&c, MD5_OF("1")));
    assert_string_equal(c.feed.broken[0].place, "/objects/7");
    feed_case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_takes_hashes_names_and_comments),
        cmocka_unit_test(plain_names_the_line_that_is_broken),
        cmocka_unit_test(the_same_hash_counts_once),
        cmocka_unit_test(warned_hashes_are_suppressed_whichever_of_a_row_it_is),
        cmocka_unit_test(csv_of_malwarebazaar),
        cmocka_unit_test(csv_of_threatfox),
        cmocka_unit_test(csv_of_urlhaus_payloads),
        cmocka_unit_test(what_only_looks_like_a_list_is_refused_as_a_whole),
        cmocka_unit_test(json_that_is_too_deep_is_refused_before_it_is_parsed),
        cmocka_unit_test(a_comment_about_hashes_does_not_make_a_table),
        cmocka_unit_test(clamav_takes_hashes_of_files_only),
        cmocka_unit_test(misp_takes_what_is_marked_for_detection),
        cmocka_unit_test(misp_events_come_in_four_forms),
        cmocka_unit_test(warning_lists_count_when_they_are_about_files),
        cmocka_unit_test(stix_takes_indicators_and_samples_of_malware),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
