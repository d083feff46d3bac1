/*
 * EICAR's test file, the GTUBE of unsolicited mail, and the sample of the antimalware scan
 * interface.
 *
 * In halves, so that a product that looks at this program itself finds none of them in it.
 */
#include "base/test_strings.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *half[2];
} strings[N_TEST_STRINGS] = {
    {"EICAR", {"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-", "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"}},
    {"GTUBE", {"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-", "STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"}},
    {"AMSI", {"AMSI Test Sample: 7e72c3ce-", "861b-4339-8740-0ac1484c1386"}},
};

const char *test_string_name(size_t index)
{
    return strings[index].name;
}

size_t test_string_write(size_t index, char ret_text[TEST_STRING_BYTES_MAX])
{
    size_t n = strlen(strings[index].half[0]);
    size_t n_rest = strlen(strings[index].half[1]);

    memcpy(ret_text, strings[index].half[0], n);
    memcpy(ret_text + n, strings[index].half[1], n_rest);
    return n + n_rest;
}
