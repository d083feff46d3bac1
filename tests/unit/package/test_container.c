/* R19, F4: what a package says is read to the last byte, or refused with the place. */
#include <stdlib.h>

#include "package/container.h"
#include "package/record.h"
#include "package/rules.h"
#include "package/trust.h"
#include "sample.h"
#include "testing.h"

static struct sample sample;
static struct manifest manifest;
static char why[PACKAGE_WHY_BYTES_MAX];

static int parse(const char *text)
{
    why[0] = '\0';
    sample_build(&sample, text);
    return container_parse(&manifest, sample.bytes, sample.n_bytes, why);
}

static void a_good_package_is_read_whole(void **state)
{
    assert_int_equal(parse(sample_manifest), 0);
    assert_string_equal(manifest.name, "tiny");
    assert_string_equal(manifest.version, "1.2~rc1");
    assert_int_equal(manifest.serial, 7);
    assert_int_equal(manifest.expires, 20991231);
    assert_int_equal(manifest.memory_mib, 64);
    assert_int_equal(manifest.n_files, 2);
    assert_memory_equal(sample.bytes + manifest_module(&manifest)->offset, "not really", 10);
    assert_memory_equal(sample.bytes + manifest.files[1].offset, "MIT", 3);
}

/* Without a signature: nothing is read past the end, and the files are as the manifest says. */
static void no_changed_byte_of_a_file_and_no_other_length_is_taken(void **state)
{
    size_t first;

    assert_int_equal(parse(sample_manifest), 0);
    first = (size_t)manifest.files[0].offset;
    for (size_t n = 0; n < sample.n_bytes; n++) {
        uint8_t *copy = malloc(n + 1); /* its end is guarded by the sanitizer */

        assert_non_null(copy);
        memcpy(copy, sample.bytes, n);
        assert_int_equal(container_parse(&manifest, copy, n, why), PACKAGE_E_BAD);
        free(copy);
    }
    for (size_t i = first; i < sample.n_bytes; i++) {
        sample.bytes[i] ^= 1;
        assert_int_equal(container_parse(&manifest, sample.bytes, sample.n_bytes, why),
                         PACKAGE_E_BAD);
        sample.bytes[i] ^= 1;
    }
    sample.bytes[sample.n_bytes] = 'x';
    assert_int_equal(container_parse(&manifest, sample.bytes, sample.n_bytes + 1, why),
                     PACKAGE_E_BAD);
    assert_non_null(strstr(why, "after the last file"));
}

struct bad {
    const char *from; /* in the good manifest */
    const char *to;
    const char *says;
};

static const struct bad bad[] = {
    {"pes-package 1", "pes-package 2", "only format 1"},
    {"pes-package 1\n", "", "first line"},
    {"name tiny\n", "", "no line 'name'"},
    {"name tiny", "name ../tiny", "name:"},
    {"name tiny", "name ", "name:"},
    {"name tiny", "name tiny\nname tiny", "twice"},
    {"name tiny", "Name tiny", "no such key"},
    {"name tiny", "name  tiny", "name:"},
    {"name tiny", "name tiny ", "name:"},
    {"name tiny", "nametiny", "a key, a blank"},
    {"name tiny", "\nname tiny", "a key, a blank"},
    {"name tiny", "name tiny\r", "plain UTF-8"},
    {"version 1.2~rc1", "version \xc3\xa4", "version:"},
    {"message en Found.", "message en \xff", "plain UTF-8"},
    {"message en Found.", "message en \x1b[31m", "plain UTF-8"},
    {"message en Found.", "message en", "message:"},
    {"serial 7", "serial 0", "serial:"},
    {"serial 7", "serial 07", "serial:"},
    {"serial 7", "serial -7", "serial:"},
    {"serial 7", "serial 9007199254740992", "serial:"},
    {"serial 7", "serial 99999999999999999999999", "serial:"},
    {"abi 1\n", "", "no line 'abi'"},
    {"form module", "form library", "form:"},
    {"module tiny.so", "module other.so", "must name one of its files"},
    {"module tiny.so\n", "", "must name one of its files"},
    {"expires 20991231", "expires 20991331", "no such day"},
    {"expires 20991231", "expires 2099-12-31", "YYYYMMDD"},
    {"memory-mib 64", "memory-mib 0", "memory-mib:"},
    {"help-url https:", "help-url http:", "https://"},
    {"kind file.*\n", "", "no line 'kind'"},
    {"kind file.*", "kind file/../x", "kind"},
    {"kind file.*", "file tiny.so 1 00", "file:"},
    {"kind file.*", "file a/b 1 00", "file:"},
};

static void R19_bad_manifests_are_refused_with_the_place(void **state)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[SAMPLE_BYTES_MAX];
        const char *at = strstr(sample_manifest, bad[i].from);

        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - sample_manifest), sample_manifest,
                 bad[i].to, at + strlen(bad[i].from));
        if (parse(text) != PACKAGE_E_BAD || !strstr(why, bad[i].says)) {
            fail_msg("'%s' -> '%s': '%s'", bad[i].from, bad[i].to, why);
        }
    }
}

static int judge(const struct rules *rules)
{
    assert_int_equal(parse(sample_manifest), 0);
    return rules_check(rules, &manifest, why);
}

static void A2_A5_a_good_signature_is_not_enough(void **state)
{
    struct rules good = {.name = "tiny", .floor = 7, .today = 20991231, .abi = 1, .registry = 1};
    struct rules rules = good;

    assert_int_equal(judge(&rules), 0);
    rules.floor = 8;
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    assert_non_null(strstr(why, "older than one that was installed"));
    rules = good;
    rules.today = 21000101;
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    assert_non_null(strstr(why, "last day was 20991231"));
    rules.today = 0;
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    rules = good;
    rules.name = "other";
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    rules = good;
    rules.abi = 2; /* the package is of the version before */
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    assert_non_null(strstr(why, "version 1 of the provider interface"));
    rules.abi = 0; /* ... of the version after */
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
    rules = good;
    rules.registry = 0;
    assert_int_equal(judge(&rules), PACKAGE_E_BAD);
}

static int revoked(const char *text)
{
    struct package_record record = {.key_id = "0123456789ABCDEF"};
    char copy[256];

    memset(record.sha256, 0xab, sizeof(record.sha256));
    snprintf(copy, sizeof(copy), "%s", text);
    return trust_check_revoked_text("revoked", copy, &record, why);
}

static void A2_revoked_keys_and_packages_are_refused(void **state)
{
    assert_int_equal(revoked(""), 0);
    assert_int_equal(revoked("# a comment\n\nkey 0000000000000000\n"), 0);
    assert_int_equal(revoked("key 0123456789abcdef\n"), PACKAGE_E_REVOKED);
    assert_int_equal(revoked("package "
                             "abababababababababababababababababababababababababababababababab"),
                     PACKAGE_E_REVOKED);
    assert_int_equal(revoked("key 0123\n"), PACKAGE_E_BAD);
    assert_non_null(strstr(why, "line 1"));
    assert_int_equal(revoked("# x\nkeys 0123456789abcdef\n"), PACKAGE_E_BAD);
    assert_non_null(strstr(why, "line 2"));
}

static void a_record_that_leads_out_of_the_package_is_not_believed(void **state)
{
    static struct package_record record;

    assert_false(record_is_sane(&record, 1000)); /* a zeroed one says nothing */
    record.state = PACKAGE_SIGNED;
    assert_int_equal(parse(sample_manifest), 0);
    record.manifest = manifest;
    assert_true(record_is_sane(&record, sample.n_bytes));
    assert_false(record_is_sane(&record, sample.n_bytes - 1));
    record.manifest.files[0].offset = UINT64_MAX;
    assert_false(record_is_sane(&record, sample.n_bytes));
    record.manifest = manifest;
    record.manifest.n_files = MANIFEST_FILES_MAX + 1;
    assert_false(record_is_sane(&record, sample.n_bytes));
    record.manifest = manifest;
    memset(record.manifest.version, 'x', sizeof(record.manifest.version));
    assert_false(record_is_sane(&record, sample.n_bytes));
    record.manifest = manifest;
    record.state = 3;
    assert_false(record_is_sane(&record, sample.n_bytes));
    record.state = PACKAGE_REFUSED; /* without a reason */
    assert_false(record_is_sane(&record, sample.n_bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_package_is_read_whole),
        cmocka_unit_test(no_changed_byte_of_a_file_and_no_other_length_is_taken),
        cmocka_unit_test(R19_bad_manifests_are_refused_with_the_place),
        cmocka_unit_test(A2_A5_a_good_signature_is_not_enough),
        cmocka_unit_test(A2_revoked_keys_and_packages_are_refused),
        cmocka_unit_test(a_record_that_leads_out_of_the_package_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
