/*
 * Errors in words, and the one crossing from errno to PES_E_*.
 *
 * The words finish the sentence "It could not be checked: ...", so they name a cause, not a
 * function. Numbers that a newer broker may send have no words here, and say so.
 */
#include "client/error.h"

#include <errno.h>

#include <pes/enums.h>
#include <pes/names.h>

int pes_error_from_errno(int negative_errno)
{
    switch (-negative_errno) {
    case 0:
        return PES_E_NONE;
    case EINVAL:
    case EBADF:
    case ENAMETOOLONG:
        return -PES_E_INVALID_ARGUMENT;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOSPC:
        return -PES_E_NO_MEMORY;
    case EACCES:
    case EPERM:
    case EAFNOSUPPORT: /* the caller may not make unix sockets: RestrictAddressFamilies= */
        return -PES_E_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case EAGAIN:
        return -PES_E_NO_BROKER;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return -PES_E_BROKER_LOST;
    case EFBIG:
    case EMSGSIZE:
    case EOVERFLOW:
        return -PES_E_TOO_LARGE;
    case ETIMEDOUT:
        return -PES_E_DEADLINE_PASSED;
    case EBADMSG:
    case EPROTO:
        return -PES_E_PROTOCOL;
    case EIO:
    case EISDIR:
        return -PES_E_IO;
    default:
        return -PES_E_INTERNAL;
    }
}

const char *pes_error_text(int error)
{
    switch ((enum pes_error)(error < 0 ? -(unsigned)error : (unsigned)error)) {
    case PES_E_NONE:
        return "no error";
    case PES_E_INVALID_ARGUMENT:
        return "the application asked in a way that makes no sense";
    case PES_E_NOT_CONNECTED:
        return "the connection to the pes service is closed";
    case PES_E_NO_BROKER:
        return "the pes service does not answer";
    case PES_E_BROKER_LOST:
        return "the pes service went away in mid-question";
    case PES_E_VERSION:
        return "the pes service is of another version";
    case PES_E_PERMISSION:
        return "the pes service refused the connection, or is not one that can be trusted";
    case PES_E_QUOTA:
        return "this user holds too much of the pes service already";
    case PES_E_TOO_LARGE:
        return "it is larger than the limit";
    case PES_E_DEADLINE_PASSED:
        return "there was no answer in time";
    case PES_E_CANCELLED:
        return "the question was taken back";
    case PES_E_SESSION_CLOSED:
        return "the session has ended";
    case PES_E_NO_PROVIDER:
        return "no provider takes this kind of content";
    case PES_E_NOT_IMPLEMENTED:
        return "the pes service does not know this kind of question";
    case PES_E_INTERNAL:
        return "an internal fault of pes";
    case PES_E_NO_MEMORY:
        return "out of memory";
    case PES_E_CHANGED:
        return "the file changed while it was read";
    case PES_E_IO:
        return "reading failed";
    case PES_E_PROTOCOL:
        return "the pes service answered in a way that makes no sense";
    }
    return "an error that this version of pes does not know";
}
