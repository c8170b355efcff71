//! The manifests that are measured: Deployments of 57 lines with 9 comments, no two alike.

/// The Deployment number `at`.
pub(crate) fn deployment(at: usize) -> String {
    let (name, team, image) = (name(at), at % 17, at % 40);
    let (replicas, port) = (1 + at % 5, 8000 + at % 1000);
    let (cpu, memory) = (100 + at % 9 * 50, 128 + at % 7 * 64);
    format!(
        "\
# {name}: owned by team {team}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: bench
  labels:
    app: {name}
    team: team-{team}
  annotations:
    windlass.dev/about: \"service number {at}\" # shown on the dashboard
spec:
  # scaled by hand, see the runbook
  replicas: {replicas} # at least two in production
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      app: {name}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0 # never fewer than asked for
  template:
    metadata:
      labels:
        app: {name}
        team: team-{team}
    spec:
      serviceAccountName: {name}
      containers:
        # the service itself
        - name: main
          image: registry.example.com/team-{team}/{name}:v{image} # pinned
          ports:
            - name: http
              containerPort: {port}
          env:
            - name: LOG_LEVEL
              value: info
            - name: SHARD
              value: \"{at}\"
          resources:
            requests:
              cpu: {cpu}m
              memory: {memory}Mi
            limits:
              memory: {memory}Mi # the same as requested
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          livenessProbe:
            httpGet:
              path: /live # cheap
              port: http
      terminationGracePeriodSeconds: 30
"
    )
}

/// The name of the Deployment number `at`, and of its unit.
pub(crate) fn name(at: usize) -> String {
    format!("service-{at:06}")
}
