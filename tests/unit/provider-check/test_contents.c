/* What a provider is asked about: the same in every run, and of the promised size. */
#include <string.h>

#include "provider-check/contents.h"
#include "testing.h"

static void mutations_are_the_same_in_every_run(void **state)
{
    static uint8_t first[MUTATION_BYTES_MAX];
    static uint8_t second[MUTATION_BYTES_MAX];

    for (uint64_t i = 0; i < 2000; i++) {
        size_t n = content_mutate(i, first);

        assert_true(n <= MUTATION_BYTES_MAX);
        assert_int_equal(content_mutate(i, second), n);
        assert_memory_equal(first, second, n);
    }
}

static void most_mutations_differ_from_what_they_were_made_of(void **state)
{
    static uint8_t bytes[MUTATION_BYTES_MAX];
    size_t n_changed = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        const struct clean_content *content = &clean_contents[i % n_clean_contents];
        size_t n = content_mutate(i, bytes);

        n_changed += n != content->n_bytes || memcmp(bytes, content->bytes, n) != 0;
    }
    assert_true(n_changed > 950);
}

static void noise_of_another_seed_is_another(void **state)
{
    uint8_t first[64];
    uint8_t second[64];

    content_noise(first, sizeof(first), 1);
    content_noise(second, sizeof(second), 2);
    assert_memory_not_equal(first, second, sizeof(first));
    content_noise(second, sizeof(second), 1);
    assert_memory_equal(first, second, sizeof(first));
}

static void every_clean_content_has_a_name_and_fits_a_mutation(void **state)
{
    for (size_t i = 0; i < n_clean_contents; i++) {
        assert_true(strlen(clean_contents[i].name) > 0);
        assert_in_range(clean_contents[i].n_bytes, 1, 4096);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_are_the_same_in_every_run),
        cmocka_unit_test(most_mutations_differ_from_what_they_were_made_of),
        cmocka_unit_test(noise_of_another_seed_is_another),
        cmocka_unit_test(every_clean_content_has_a_name_and_fits_a_mutation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
