/* SPDX-License-Identifier: ISC */
#include "login_target.h"
#include "proto/imap_client.h"
#include "proto/imap_server.h"

int main(int argc, char **argv)
{
	return login_target_main(PROTOCOL_IMAP, &imap_server_ops, &imap_client_ops, argc, argv);
}
