/* Hashes as text. The length alone tells the algorithm, as it does in every feed. */
#include "providers/hashlist/build/hash_text.h"

/* One more than what a hexadecimal digit stands for; 0 for every other byte. */
static const uint8_t digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static int digit(char c)
{
    return digits[(uint8_t)c] - 1;
}

size_t hash_digits(const char *text, size_t n_text)
{
    size_t n = 0;

    while (n < n_text && digit(text[n]) >= 0) {
        n++;
    }
    return n;
}

enum hash_shape hash_take_as(struct file_hashes *hashes, enum list_algorithm algorithm,
                             const char *text, size_t n_text)
{
    if (n_text != 2 * list_digest_bytes(algorithm) || hash_digits(text, n_text) != n_text) {
        return HASH_BAD;
    }
    for (size_t i = 0; i < n_text / 2; i++) {
        hashes->digests[algorithm][i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    hashes->has[algorithm] = true;
    return HASH_GOOD;
}

enum hash_shape hash_take(struct file_hashes *hashes, const char *text, size_t n_text)
{
    if (hash_digits(text, n_text) != n_text) {
        return HASH_BAD;
    }
    for (int i = 0; i < LIST_N_ALGORITHMS; i++) {
        if (n_text == 2 * list_digest_bytes((enum list_algorithm)i)) {
            return hash_take_as(hashes, (enum list_algorithm)i, text, n_text);
        }
    }
    return n_text == 56 || n_text == 96 || n_text == 128 ? HASH_OTHER : HASH_BAD;
}

const char *hash_reason(const char *text, size_t n_text)
{
    if (n_text == 0) {
        return "there is no hash";
    }
    if (hash_digits(text, n_text) != n_text) {
        return "not a hash: not hexadecimal";
    }
    return "not a hash: its length is neither that of MD5 (32), SHA-1 (40) nor SHA-256 (64)";
}
