/* http_status.h: statuses and their reason phrases. Pure. */
#ifndef ELFPACK_FRONT_HTTP_STATUS_H
#define ELFPACK_FRONT_HTTP_STATUS_H

/* The reason phrase, "" for a status that front never gives. */
const char *http_reason(int status);

#endif
