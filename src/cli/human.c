/*
 * Words and numbers for people.
 *
 * At most two significant digits below ten, a space between number and unit, never a bare zero
 * where something was measured. Text from outside passes safe_text() here, so that no file name
 * can move the cursor or hide itself.
 */
#include "cli/human.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"

#define HUMAN_TEXT_BYTES ((size_t)4096)

/* Two digits below ten, else none after the point. */
static int print_scaled(char *text, double value, const char *unit)
{
    return snprintf(text, HUMAN_BYTES, value < 9.95 ? "%.1f %s" : "%.0f %s", value, unit);
}

const char *human_duration(char ret_text[static HUMAN_BYTES], double seconds)
{
    uint64_t whole = seconds > 0 ? (uint64_t)(seconds + 0.5) : 0;

    if (seconds <= 0) {
        snprintf(ret_text, HUMAN_BYTES, "0 ms");
    } else if (seconds < 0.001) {
        snprintf(ret_text, HUMAN_BYTES, "< 1 ms");
    } else if (seconds < 0.9995) {
        print_scaled(ret_text, seconds * 1000, "ms");
    } else if (seconds < 59.5) {
        print_scaled(ret_text, seconds, "s");
    } else if (whole < 3600) {
        snprintf(ret_text, HUMAN_BYTES, "%u min %02u s", (unsigned)(whole / 60),
                 (unsigned)(whole % 60));
    } else if (whole < 86400) {
        snprintf(ret_text, HUMAN_BYTES, "%u h %02u min", (unsigned)(whole / 3600),
                 (unsigned)(whole % 3600 / 60));
    } else {
        snprintf(ret_text, HUMAN_BYTES, "%llu d %02u h", (unsigned long long)(whole / 86400),
                 (unsigned)(whole % 86400 / 3600));
    }
    return ret_text;
}

const char *human_quantile(char ret_text[static HUMAN_BYTES], double seconds)
{
    if (seconds < 0) {
        snprintf(ret_text, HUMAN_BYTES, "-");
        return ret_text;
    }
    return human_duration(ret_text, seconds);
}

const char *human_count(char ret_text[static HUMAN_BYTES], uint64_t count)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    char *out = ret_text;

    for (int i = 0; i < n_digits; i++) {
        if (i > 0 && (n_digits - i) % 3 == 0) {
            *out++ = ',';
        }
        *out++ = digits[i];
    }
    *out = '\0';
    return ret_text;
}

const char *human_size(char ret_text[static HUMAN_BYTES], uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(ret_text, HUMAN_BYTES, "%u bytes", (unsigned)bytes);
        return ret_text;
    }
    while (value >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    print_scaled(ret_text, value, units[unit]);
    return ret_text;
}

char *human_text_dup(const char *text)
{
    char *out = malloc(HUMAN_TEXT_BYTES);

    if (out) {
        safe_text(out, HUMAN_TEXT_BYTES, text, strlen(text));
    }
    return out;
}

const char *human_words(char ret_text[static HUMAN_BYTES], const char *name)
{
    snprintf(ret_text, HUMAN_BYTES, "%s", name);
    for (char *c = ret_text; *c; c++) {
        if (*c == '_') {
            *c = ' ';
        }
    }
    return ret_text;
}
