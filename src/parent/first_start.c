/* SPDX-License-Identifier: ISC */
#include "parent/first_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "parent/material.h"
#include "privsep/sandbox.h"

static char *store_path(const struct config *config)
{
	return config->database != NULL ? mem_strdup(config->database)
					: mem_printf("%s/gatepost.db", config->state_dir);
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

static bool has_content(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && about.st_size > 0;
}

enum gp_err first_start_check(const struct config *config, struct gp_why *why)
{
	char *store = store_path(config);
	const char *pepper = config->pepper_file;
	enum gp_err err = GP_OK;

	if (!is_missing(pepper) && is_missing(store))
		err = gp_why_set(why, GP_ERR_CONFIG,
			"no store %.80s, though there is a pepper: is its disk mounted? "
			"\"gatepostd --init\" begins a new one",
			store);
	else if (is_missing(pepper) && has_content(store))
		err = gp_why_set(why, GP_ERR_CONFIG,
			"no pepper %.80s, though there is a store: a new one (\"gatepostd "
			"--init\") "
			"makes every device password wrong",
			pepper);
	mem_free(store);
	return err;
}

static enum gp_err make_dir(const char *path, uid_t uid, gid_t gid, struct gp_why *why)
{
	if (mkdir(path, S_IRWXU) != 0)
		return errno == EEXIST ? GP_OK
				       : gp_why_set(why, GP_ERR_IO, "state_dir %.150s: %s", path,
						 strerror(errno));
	if (uid != 0 && chown(path, uid, gid) != 0)
		return gp_why_set(why, GP_ERR_IO, "state_dir %.150s: %s", path, strerror(errno));
	return GP_OK;
}

/* SQLite would make it readable for everybody; its journals take after it. */
static enum gp_err make_store(const char *path, uid_t uid, gid_t gid, struct gp_why *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	enum gp_err err = GP_OK;

	if (fd < 0 && errno == EEXIST)
		return GP_OK;
	if (fd < 0 || (uid != 0 && fchown(fd, uid, gid) != 0))
		err = gp_why_set(why, GP_ERR_IO, "database %.150s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return err;
}

enum gp_err first_start_make(const struct config *config, struct gp_why *why)
{
	uid_t uid = 0;
	gid_t gid = 0;
	char *store = store_path(config);
	enum gp_err err = GP_OK;

	if (geteuid() == 0)
		err = sandbox_find_user(config->vault_user, &uid, &gid, why);
	if (err == GP_OK)
		err = make_dir(config->state_dir, uid, gid, why);
	if (err == GP_OK)
		err = make_store(store, uid, gid, why);
	/* Last: from now on it is no first start. */
	if (err == GP_OK && is_missing(config->pepper_file))
		err = material_create_key(config->pepper_file, "pepper", why);
	mem_free(store);
	return err;
}
