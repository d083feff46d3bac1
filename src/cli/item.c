/*
 * One thing to ask about.
 *
 * An item owns what is needed to ask, and to ask again when the service was restarted in between:
 * its name, its descriptor or its bytes. An item with a problem has a name and nothing else; it is
 * carried through all the same, so that it is reported at its place and not lost.
 */
#include "cli/item.h"

#include <string.h>

void item_fini(struct item *item)
{
    free(item->name);
    free(item->bytes);
    free(item->problem);
    closep(&item->fd);
    closep(&item->rest_fd);
    *item = (struct item)ITEM_INIT;
}

int item_fail(struct item *item, const char *problem)
{
    char *text = strdup(problem);

    if (!text) {
        return -ENOMEM;
    }
    free(item->problem);
    item->problem = text;
    closep(&item->fd);
    closep(&item->rest_fd);
    item->fd = item->rest_fd = -1;
    return 0;
}

int item_fail_errno(struct item *item, int error)
{
    return item_fail(item, strerror(error));
}
