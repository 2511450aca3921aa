package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ciEnvOf(t *testing.T, text string) ciEnv {
	t.Helper()
	env := ciEnv{}
	if err := env.read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return env
}

// TestCIVariablesAreFoundWhereTheyStand reads the same environment in every
// form in which people have it.
func TestCIVariablesAreFoundWhereTheyStand(t *testing.T) {
	want := map[string]string{"DRONE_GITEA_SERVER": "https://git.example.com", "DRONE_SERVER_HOST": "drone.example.com", "DRONE_TLS_AUTOCERT": "true"}
	for form, text := range map[string]string{
		"dotenv":  "# Drone\nexport DRONE_GITEA_SERVER=https://git.example.com\nPATH=/bin\nDRONE_SERVER_HOST=\"drone.example.com\"\r\nDRONE_TLS_AUTOCERT='true'\n",
		"doubles": "DRONE_SERVER_HOST=old\nDRONE_GITEA_SERVER=https://git.example.com\nDRONE_SERVER_HOST=drone.example.com\nDRONE_TLS_AUTOCERT=true\n",
		"docker inspect": `[{"Id": "7", "Config": {"Hostname": "drone", "Env": ["PATH=/bin", "DRONE_GITEA_SERVER=https://git.example.com",
			"DRONE_SERVER_HOST=drone.example.com", "DRONE_TLS_AUTOCERT=true"]}}]`,
		"compose, as a mapping": "services:\n  drone:\n    environment:\n      DRONE_GITEA_SERVER: https://git.example.com\n      DRONE_SERVER_HOST: drone.example.com\n      DRONE_TLS_AUTOCERT: true\n",
		"compose, as a list":    "services:\n  drone:\n    environment:\n      - DRONE_GITEA_SERVER=https://git.example.com\n      - DRONE_SERVER_HOST=drone.example.com\n      - DRONE_TLS_AUTOCERT=true\n",
		"Kubernetes": `kind: Deployment
spec: {template: {spec: {containers: [{name: drone, env: [{name: DRONE_GITEA_SERVER, value: "https://git.example.com"}]}]}}}
---
kind: ConfigMap
data: {DRONE_SERVER_HOST: drone.example.com}
---
kind: Secret
data: {DRONE_TLS_AUTOCERT: dHJ1ZQo=}
`,
	} {
		env := ciEnvOf(t, text)
		got := map[string]string{}
		for name := range env {
			got[name] = env.get(name)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", form, d)
		}
	}
}

func TestAVariableFromElsewhereIsThereWithoutItsValue(t *testing.T) {
	env := ciEnvOf(t, "env:\n- name: DRONE_GITHUB_CLIENT_ID\n  valueFrom: {secretKeyRef: {name: drone, key: id}}\n- {name: DRONE_SERVER_HOST, value: drone.example.com}\n")
	d, err := draftOf(env)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.providers[0]; p.kind != "github" || p.url != "" {
		t.Errorf("got %+v, want github.com", p)
	}
}

func TestAFileThatIsNeitherIsRefusedWithoutBeingShown(t *testing.T) {
	err := ciEnv{}.read([]byte("{canary: [\n"))
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestDraftsFollowTheEnvironment(t *testing.T) {
	type sum struct{ Provider, URL, Orgs, Targets string }
	for text, want := range map[string]sum{
		"DRONE_GITEA_SERVER=https://git.example.com/\nDRONE_SERVER_HOST=drone.example.com\nDRONE_SERVER_PROTO=https\nDRONE_REPOSITORY_FILTER=acme, labs": {
			"gitea", "https://git.example.com", "acme labs", "drone https://drone.example.com",
		},
		"DRONE_GITHUB_CLIENT_ID=x\nDRONE_SERVER_HOST=d\nDRONE_TLS_AUTOCERT=true":                                                                          {"github", "", "*", "drone https://d"},
		"DRONE_GITHUB_CLIENT_ID=x\nDRONE_GITHUB_SERVER=https://ghe.example.com":                                                                           {"github", "https://ghe.example.com", "*", "drone http://localhost:8080"},
		"DRONE_GITLAB_CLIENT_ID=x\nDRONE_SERVER_HOST=d":                                                                                                   {"gitlab", "", "*", "drone http://d"},
		"WOODPECKER_FORGEJO=true\nWOODPECKER_FORGEJO_URL=https://f.example.com\nWOODPECKER_HOST=https://w.example.com/\nWOODPECKER_ORGS=acme":             {"forgejo", "https://f.example.com", "acme", "woodpecker https://w.example.com"},
		"WOODPECKER_GITLAB=true\nWOODPECKER_FORGE_URL=https://l.example.com\nWOODPECKER_HOST=https://w\nWOODPECKER_ORGS=acme\nWOODPECKER_REPO_OWNERS=a,b": {"gitlab", "https://l.example.com", "a b", "woodpecker https://w"},
		"WOODPECKER_GITEA_URL=https://git.example.com\nWOODPECKER_HOST=https://w":                                                                         {"gitea", "https://git.example.com", "*", "woodpecker https://w"},
		"DRONE_GITEA_SERVER=https://g\nDRONE_SERVER_HOST=d\nDRONE_REPOSITORY_FILTER=a\nWOODPECKER_FORGEJO=true\nWOODPECKER_FORGEJO_URL=https://g\nWOODPECKER_HOST=https://w\nWOODPECKER_REPO_OWNERS=a,b": {
			"forgejo", "https://g", "a b", "drone http://d woodpecker https://w",
		},
	} {
		d, err := draftOf(ciEnvOf(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(d.providers) != 1 {
			t.Errorf("%s: %d providers", text, len(d.providers))
		}
		p := d.providers[0]
		got := sum{p.kind, p.url, strings.Join(p.orgs, " "), ""}
		for _, target := range d.targets {
			got.Targets = strings.TrimSpace(got.Targets + " " + target.kind + " " + target.url)
			if target.provider != p.name {
				t.Errorf("%s: target %s follows %q", text, target.name, target.provider)
			}
		}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestEnvironmentsThatMakeNoConfigurationAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"DRONE_RPC_HOST=drone.example.com":                                                 "names a forge",
		"DRONE_GOGS_SERVER=https://gogs.example.com":                                       "kind gogs, which is not served yet",
		"WOODPECKER_BITBUCKET=true":                                                        "kind bitbucket, which is not served yet",
		"WOODPECKER_GITEA=true":                                                            "add WOODPECKER_GITEA_URL",
		"DRONE_GITEA_SERVER=git.example.com":                                               "DRONE_GITEA_SERVER is not a web address",
		"DRONE_GITEA_SERVER=https://root:canary@git.example.com":                           "credentials",
		"DRONE_GITEA_SERVER=https://git.example.com\nDRONE_SERVER_HOST=a:canary@b":         "credentials",
		"WOODPECKER_GITEA_URL=https://git.example.com\nWOODPECKER_HOST=https://w?t=canary": "credentials",
	} {
		_, err := draftOf(ciEnvOf(t, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestDraftsHoldNothingSecret gives every variable a value that must not come
// out, and names that try to.
func TestDraftsHoldNothingSecret(t *testing.T) {
	env := ciEnv{}
	for _, name := range strings.Fields(`DRONE_GITEA_CLIENT_ID DRONE_GITEA_CLIENT_SECRET DRONE_RPC_SECRET DRONE_COOKIE_SECRET
		DRONE_DATABASE_DATASOURCE DRONE_DATABASE_SECRET DRONE_WEBHOOK_SECRET DRONE_LICENSE WOODPECKER_GITEA_CLIENT
		WOODPECKER_GITEA_SECRET WOODPECKER_AGENT_SECRET WOODPECKER_GRPC_SECRET WOODPECKER_DATABASE_DATASOURCE`) {
		env.assign(name + "=canary")
	}
	env.assign("DRONE_DATABASE_DRIVER=postgres")
	env.assign("DRONE_USER_CREATE=username:root,admin:true,token:canary")
	env.assign("DRONE_GITEA_SERVER=https://git.example.com")
	env.assign("DRONE_SERVER_HOST=drone.example.com")
	env.assign("DRONE_REPOSITORY_FILTER=acme\nlisten: 0.0.0.0:1,\"],x: [\"")
	d, err := draftOf(env)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := d.write(&out, "/run/secrets"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret is in\n%s", out.String())
	}
	c, f := readConfig(write(t, "hookd.yaml", out.String()), nil)
	if len(f.list) > 0 {
		t.Fatalf("%v in\n%s", f, out.String())
	}
	if d := cmp.Diff([]string{"acme\nlisten: 0.0.0.0:1", `"]`, `x: ["`}, c.Providers[0].Orgs); d != "" {
		t.Errorf("names are not what they were: -want +got\n%s\n%s", d, out.String())
	}
}
