/*
 * Where a file came from.
 *
 * Browsers, curl and wget write user.xdg.origin.url and user.xdg.referrer.url (freedesktop.org,
 * "Common extended attributes"). They are a claim by whoever could write the file, never a proof,
 * and are passed on as such. An attribute that is longer than an address may be is left out.
 */
#include "cli/origin.h"

#include <string.h>
#include <strings.h>
#include <sys/xattr.h>

/* Return: its length, 0 without one. */
static size_t read_attribute(char text[static ORIGIN_URL_BYTES + 1], int fd, const char *name)
{
    ssize_t n = fgetxattr(fd, name, text, ORIGIN_URL_BYTES);

    if (n < 0) {
        n = 0;
    }
    /* Some writers store the terminating zero or a newline. */
    while (n > 0 && (text[n - 1] == '\0' || text[n - 1] == '\n')) {
        n--;
    }
    text[n] = '\0';
    return (size_t)n;
}

void origin_read(struct origin *ret_origin, int fd)
{
    ret_origin->n_url = read_attribute(ret_origin->url, fd, "user.xdg.origin.url");
    ret_origin->n_referrer = read_attribute(ret_origin->referrer, fd, "user.xdg.referrer.url");
}

bool origin_is_web(const char *url)
{
    return url && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
}
