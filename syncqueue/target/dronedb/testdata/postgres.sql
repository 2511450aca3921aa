-- The tables of Drone 2.28 that matter, as its migrations for PostgreSQL make them.
CREATE TABLE migrations (name VARCHAR(255), UNIQUE (name));
CREATE TABLE users (
	user_id SERIAL PRIMARY KEY, user_login VARCHAR(250), user_admin BOOLEAN, user_active BOOLEAN, user_machine BOOLEAN,
	user_hash VARCHAR(500), UNIQUE (user_login), UNIQUE (user_hash)
);
CREATE TABLE repos (
	repo_id SERIAL PRIMARY KEY, repo_uid VARCHAR(250), repo_user_id INTEGER, repo_namespace VARCHAR(250), repo_name VARCHAR(250),
	repo_slug VARCHAR(250), repo_scm VARCHAR(50), repo_clone_url VARCHAR(2000), repo_ssh_url VARCHAR(2000), repo_html_url VARCHAR(2000),
	repo_active BOOLEAN, repo_private BOOLEAN, repo_visibility VARCHAR(50), repo_branch VARCHAR(250), repo_counter INTEGER,
	repo_config VARCHAR(500), repo_timeout INTEGER, repo_trusted BOOLEAN, repo_protected BOOLEAN, repo_synced INTEGER,
	repo_created INTEGER, repo_updated INTEGER, repo_version INTEGER, repo_signer VARCHAR(50), repo_secret VARCHAR(50),
	repo_no_forks BOOLEAN NOT NULL DEFAULT false, repo_no_pulls BOOLEAN NOT NULL DEFAULT false,
	repo_cancel_pulls BOOLEAN NOT NULL DEFAULT false, repo_cancel_push BOOLEAN NOT NULL DEFAULT false,
	repo_throttle INTEGER NOT NULL DEFAULT 0, repo_cancel_running BOOLEAN NOT NULL DEFAULT false,
	UNIQUE (repo_slug), UNIQUE (repo_uid)
);
CREATE TABLE perms (
	perm_user_id INTEGER, perm_repo_uid VARCHAR(250), perm_read BOOLEAN, perm_write BOOLEAN, perm_admin BOOLEAN, perm_synced INTEGER,
	perm_created INTEGER, perm_updated INTEGER, PRIMARY KEY (perm_user_id, perm_repo_uid)
);
INSERT INTO migrations (name) VALUES ('create-table-users'), ('create-table-repos'), ('create-table-perms');
