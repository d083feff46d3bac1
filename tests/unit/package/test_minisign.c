/* A2: no changed, shortened or lengthened package passes for the one that was signed. */
#include "package/minisign.h"
#include "sample.h"
#include "testing.h"

static struct sample sample;

static int check(const uint8_t *bytes, size_t n_bytes, const char *signature, size_t n_signature)
{
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    size_t key = 99;
    int r = minisign_verify(&sample.key, 1, bytes, n_bytes, signature, n_signature, &key, why);

    if (r == 0) {
        assert_int_equal(key, 0);
    } else {
        assert_int_equal(r, PACKAGE_E_BAD);
        assert_true(why[0] != '\0');
    }
    return r;
}

static int make(void **state)
{
    sample_make(&sample, sample_manifest, 1);
    return 0;
}

static void A2_what_was_signed_is_taken(void **state)
{
    assert_int_equal(
        check(sample.bytes, sample.n_bytes, sample.signature, strlen(sample.signature)), 0);
}

static void A2_every_flipped_bit_of_a_package_is_refused(void **state)
{
    size_t n_tried = 0;

    for (size_t i = 0; i < sample.n_bytes; i++) {
        for (unsigned int bit = 0; bit < 8; bit++, n_tried++) {
            sample.bytes[i] ^= (uint8_t)(1u << bit);
            assert_int_equal(
                check(sample.bytes, sample.n_bytes, sample.signature, strlen(sample.signature)),
                PACKAGE_E_BAD);
            sample.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_int_equal(n_tried, 8 * sample.n_bytes);
    A2_what_was_signed_is_taken(state);
}

static void A2_every_other_length_of_a_package_is_refused(void **state)
{
    for (size_t n = 0; n < SAMPLE_BYTES_MAX; n++) {
        assert_int_equal(check(sample.bytes, n, sample.signature, strlen(sample.signature)),
                         n == sample.n_bytes ? 0 : PACKAGE_E_BAD);
    }
}

/* Where the first line's own words are, which nobody signs and nobody reads. */
static bool is_untrusted(size_t at)
{
    return at >= strlen("untrusted comment: ") &&
           at < (size_t)(strchr(sample.signature, '\n') - sample.signature);
}

static void A2_every_flipped_bit_of_a_signature_is_refused(void **state)
{
    size_t n = strlen(sample.signature);
    char changed[MINISIGN_FILE_BYTES_MAX];

    for (size_t i = 0; i < n; i++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            memcpy(changed, sample.signature, n);
            changed[i] = (char)(changed[i] ^ (1u << bit));
            if (is_untrusted(i) && changed[i] != '\n') {
                continue;
            }
            assert_int_equal(check(sample.bytes, sample.n_bytes, changed, n), PACKAGE_E_BAD);
        }
    }
}

static void A2_every_other_length_of_a_signature_is_refused(void **state)
{
    size_t n = strlen(sample.signature);

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(check(sample.bytes, sample.n_bytes, sample.signature, i), PACKAGE_E_BAD);
    }
    sample.signature[n] = '\n';
    assert_int_equal(check(sample.bytes, sample.n_bytes, sample.signature, n + 1), PACKAGE_E_BAD);
    sample.signature[n] = '\0';
}

static void A2_another_key_is_refused_and_named(void **state)
{
    static struct sample other;
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    size_t key;

    sample_make(&other, sample_manifest, 2);
    assert_int_equal(minisign_verify(&sample.key, 1, other.bytes, other.n_bytes, other.signature,
                                     strlen(other.signature), &key, why),
                     PACKAGE_E_BAD);
    assert_non_null(strstr(why, "0202020202020202"));
    /* A key that only bears the number of the trusted one. */
    memcpy(other.key.id, sample.key.id, sizeof(other.key.id));
    assert_int_equal(minisign_verify(&other.key, 1, sample.bytes, sample.n_bytes, sample.signature,
                                     strlen(sample.signature), &key, why),
                     PACKAGE_E_BAD);
    assert_int_equal(minisign_verify(NULL, 0, sample.bytes, sample.n_bytes, sample.signature,
                                     strlen(sample.signature), &key, why),
                     PACKAGE_E_BAD);
}

static void the_form_that_is_not_prehashed_is_refused(void **state)
{
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    char changed[MINISIGN_FILE_BYTES_MAX];
    char *second = NULL;
    size_t key;

    snprintf(changed, sizeof(changed), "%s", sample.signature);
    second = strchr(changed, '\n') + 1;
    memcpy(second, "RWQ", 3); /* "Ed" instead of "ED"; the third character holds 4 bits of it */
    second[2] = strchr(sample.signature, '\n')[3];
    assert_int_equal(minisign_verify(&sample.key, 1, sample.bytes, sample.n_bytes, changed,
                                     strlen(changed), &key, why),
                     PACKAGE_E_BAD);
    assert_non_null(strstr(why, "prehashed"));
}

static void a_secret_key_with_a_password_says_what_to_do(void **state)
{
    char key[300] = "untrusted comment: x\nRWRTY0Iy";
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    char out[512];
    size_t n = strlen(key);

    memset(key + n, 'A', 212 - 8);
    key[n + 203] = '=';
    key[n + 204] = '\n';
    key[n + 205] = '\0';
    assert_int_equal(minisign_sign(key, strlen(key), sample.bytes, 1, "c", out, sizeof(out), why),
                     PACKAGE_E_BAD);
    assert_non_null(strstr(why, "minisign -S -H"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A2_what_was_signed_is_taken),
        cmocka_unit_test(A2_every_flipped_bit_of_a_package_is_refused),
        cmocka_unit_test(A2_every_other_length_of_a_package_is_refused),
        cmocka_unit_test(A2_every_flipped_bit_of_a_signature_is_refused),
        cmocka_unit_test(A2_every_other_length_of_a_signature_is_refused),
        cmocka_unit_test(A2_another_key_is_refused_and_named),
        cmocka_unit_test(the_form_that_is_not_prehashed_is_refused),
        cmocka_unit_test(a_secret_key_with_a_password_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, make, NULL);
}
