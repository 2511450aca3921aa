-- The tables of Drone 2.28 that matter, as a running server on SQLite has them.
CREATE TABLE migrations (name VARCHAR(255), UNIQUE (name));
CREATE TABLE users (
	user_id INTEGER PRIMARY KEY AUTOINCREMENT, user_login TEXT COLLATE NOCASE, user_admin BOOLEAN, user_machine BOOLEAN, user_active BOOLEAN,
	user_hash TEXT, UNIQUE (user_login COLLATE NOCASE), UNIQUE (user_hash)
);
CREATE TABLE repos (
	repo_id INTEGER PRIMARY KEY AUTOINCREMENT, repo_uid TEXT, repo_user_id INTEGER, repo_namespace TEXT, repo_name TEXT, repo_slug TEXT,
	repo_scm TEXT, repo_clone_url TEXT, repo_ssh_url TEXT, repo_html_url TEXT, repo_active BOOLEAN, repo_private BOOLEAN,
	repo_visibility TEXT, repo_branch TEXT, repo_counter INTEGER, repo_config TEXT, repo_timeout INTEGER, repo_trusted BOOLEAN,
	repo_protected BOOLEAN, repo_synced INTEGER, repo_created INTEGER, repo_updated INTEGER, repo_version INTEGER, repo_signer TEXT,
	repo_secret TEXT, repo_no_forks BOOLEAN NOT NULL DEFAULT 0, repo_no_pulls BOOLEAN NOT NULL DEFAULT 0,
	repo_cancel_pulls BOOLEAN NOT NULL DEFAULT 0, repo_cancel_push BOOLEAN NOT NULL DEFAULT 0, repo_throttle INTEGER NOT NULL DEFAULT 0,
	repo_cancel_running BOOLEAN NOT NULL DEFAULT 0, UNIQUE (repo_slug), UNIQUE (repo_uid)
);
CREATE TABLE perms (
	perm_user_id INTEGER, perm_repo_uid TEXT, perm_read BOOLEAN, perm_write BOOLEAN, perm_admin BOOLEAN, perm_synced INTEGER,
	perm_created INTEGER, perm_updated INTEGER, PRIMARY KEY (perm_user_id, perm_repo_uid)
);
INSERT INTO migrations (name) VALUES ('create-table-users'), ('create-table-repos'), ('create-table-perms');
