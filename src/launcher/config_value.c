/*
 * Values of configuration keys.
 *
 * Everything reaches us as text and is read here, strictly: a whole number has digits only, a size
 * and a duration say their unit, and what lies outside the range is told together with the range.
 * libconfuse's own numbers would take "12abc" apart, know no units, and end the whole parse.
 */
#include "launcher/config_value.h"

#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1},
};

static const struct unit duration_units[] = {
    {"min", 60000},
    {"s", 1000},
    {"ms", 1},
};

#define N_SIZE_UNITS     (sizeof(size_units) / sizeof(size_units[0]))
#define N_DURATION_UNITS (sizeof(duration_units) / sizeof(duration_units[0]))

/* Reads digits; false without any or beyond 64 bits. */
static bool read_digits(const char **text, uint64_t *ret)
{
    const char *at = *text;
    uint64_t value = 0;

    while (*at >= '0' && *at <= '9') {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return false;
        }
        at++;
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *ret = value;
    return true;
}

static bool read_with_unit(const char *text, const struct unit *units, size_t n_units,
                           uint64_t *ret)
{
    uint64_t value;

    if (!read_digits(&text, &value)) {
        return false;
    }
    while (*text == ' ') {
        text++;
    }
    for (size_t i = 0; i < n_units; i++) {
        if (strcmp(text, units[i].name) == 0) {
            return !__builtin_mul_overflow(value, units[i].factor, ret);
        }
    }
    *ret = value;
    return *text == '\0' && units == size_units;
}

/* A bound as a person would write it: in the greatest unit that divides it. */
static void write_bound(char *out, size_t n_out, uint64_t value, const struct unit *units,
                        size_t n_units)
{
    for (size_t i = 0; i < n_units; i++) {
        if (value % units[i].factor == 0 && (value > 0 || units[i].factor == 1)) {
            snprintf(out, n_out, "%llu %s", (unsigned long long)(value / units[i].factor),
                     units[i].name);
            return;
        }
    }
}

static int check_range(const char *example, uint64_t value, bool is_read, const uint64_t range[2],
                       const char *bounds[2], char why[CONFIG_VALUE_TEXT_BYTES_MAX])
{
    if (!is_read) {
        snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "give %s, from %s to %s", example, bounds[0],
                 bounds[1]);
        return CONFIG_VALUE_E_BAD;
    }
    if (value < range[0] || value > range[1]) {
        snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "out of range; it goes from %s to %s", bounds[0],
                 bounds[1]);
        return CONFIG_VALUE_E_BAD;
    }
    return 0;
}

int config_value_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                       char why[CONFIG_VALUE_TEXT_BYTES_MAX])
{
    char bounds[2][32];
    uint64_t value = 0;
    bool is_read = read_digits(&text, &value) && *text == '\0';
    int r;

    snprintf(bounds[0], sizeof(bounds[0]), "%llu", (unsigned long long)min);
    snprintf(bounds[1], sizeof(bounds[1]), "%llu", (unsigned long long)max);
    r = check_range("a whole number", value, is_read, (uint64_t[2]){min, max},
                    (const char *[2]){bounds[0], bounds[1]}, why);
    if (r == 0) {
        *ret = value;
    }
    return r;
}

int config_value_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                      char why[CONFIG_VALUE_TEXT_BYTES_MAX])
{
    char bounds[2][32];
    uint64_t value = 0;
    bool is_read = read_with_unit(text, size_units, N_SIZE_UNITS, &value);
    int r;

    write_bound(bounds[0], sizeof(bounds[0]), min, size_units, N_SIZE_UNITS);
    write_bound(bounds[1], sizeof(bounds[1]), max, size_units, N_SIZE_UNITS);
    r = check_range("a size such as \"100 MiB\"", value, is_read, (uint64_t[2]){min, max},
                    (const char *[2]){bounds[0], bounds[1]}, why);
    if (r == 0) {
        *ret = value;
    }
    return r;
}

int config_value_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                          char why[CONFIG_VALUE_TEXT_BYTES_MAX])
{
    char bounds[2][32];
    uint64_t value = 0;
    bool is_read = read_with_unit(text, duration_units, N_DURATION_UNITS, &value);
    int r;

    write_bound(bounds[0], sizeof(bounds[0]), min, duration_units, N_DURATION_UNITS);
    write_bound(bounds[1], sizeof(bounds[1]), max, duration_units, N_DURATION_UNITS);
    r = check_range("a time such as \"800 ms\"", value, is_read, (uint64_t[2]){min, max},
                    (const char *[2]){bounds[0], bounds[1]}, why);
    if (r == 0) {
        *ret = value;
    }
    return r;
}

int config_value_bool(const char *text, uint64_t *ret, char why[CONFIG_VALUE_TEXT_BYTES_MAX])
{
    static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};

    for (size_t value = 0; value < 2; value++) {
        for (size_t i = 0; i < 3; i++) {
            if (strcmp(text, words[value][i]) == 0) {
                *ret = value;
                return 0;
            }
        }
    }
    snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "give true or false");
    return CONFIG_VALUE_E_BAD;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool config_value_is_name(const char *text)
{
    size_t n = strlen(text);

    if (n == 0 || n > 32 || !is_letter_or_digit(text[0])) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if (!is_letter_or_digit(text[i]) && !strchr("._-", text[i])) {
            return false;
        }
    }
    return true;
}

size_t config_value_distance(const char *a, const char *b)
{
    size_t row[64];
    size_t n_a = strlen(a);
    size_t n_b = strlen(b);

    if (n_a >= 64 || n_b >= 64) {
        return 64;
    }
    for (size_t j = 0; j <= n_b; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[n_b];
}
