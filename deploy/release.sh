#!/bin/sh
# release.sh SITE VERSION [BUNDLE.zip BUCKET]
# release.sh --register SITE VERSION BUNDLE.zip BUCKET
#
# Brings a release to the two environments of a site, web first, because its deployment moves the database on; stops
# when one does not take it or does not become well. With a bundle, uploads and registers it first; without one, VERSION
# is a release that was registered before, which is how one goes back. With --register that is all, for a site whose
# environments do not exist yet. Needs the AWS command line and nothing else.
set -eu

usage="Usage: deploy/release.sh [--register] SITE VERSION [BUNDLE.zip BUCKET]"
only_register=
if [ "${1:-}" = --register ]; then
    only_register=yes
    shift
fi
# dist/*.zip may be several, of which the shell would make a wrong bundle and a wrong bucket.
[ "$#" -le 4 ] || { echo "$usage: one bundle, not several." >&2; exit 2; }
site=${1:?$usage}
version=${2:?$usage}
bundle=${3:-}
poll=${POLL_SECONDS:-15}
# Rounds: a rolling deployment with an additional batch takes minutes a machine; health needs some more to be sure.
rounds=${UPDATE_ROUNDS:-240}
calm=${HEALTH_ROUNDS:-40}

say() {
    echo "$*" >&2
}

beanstalk() {
    aws elasticbeanstalk "$@" --output text
}

registered() {
    beanstalk describe-application-versions --application-name "$site" --version-labels "$version" \
        --query 'ApplicationVersions[0].Status'
}

register() {
    bucket=${4:?$usage}
    [ -f "$bundle" ] || { say "There is no $bundle; build it with: make bundle."; exit 1; }
    if [ "$(registered)" != None ]; then
        say "$version is registered already and stays as it is; a changed release needs a new version."
        return
    fi
    key="releases/$version.zip"
    say "Uploading $bundle to $bucket."
    aws s3 cp --only-show-errors "$bundle" "s3://$bucket/$key"
    beanstalk create-application-version --application-name "$site" --version-label "$version" --process \
        --source-bundle "S3Bucket=$bucket,S3Key=$key" --query ApplicationVersion.Status >/dev/null
}

wait_registered() {
    round=0
    while :; do
        status=$(registered)
        case $status in
        PROCESSED | UNPROCESSED) return ;;
        None) say "$version is not registered; its bundle and bucket are needed once."; exit 1 ;;
        FAILED) say "Beanstalk refused the bundle of $version; the application's events say why."; exit 1 ;;
        esac
        round=$((round + 1))
        [ "$round" -le "$calm" ] || { say "Beanstalk is still looking at the bundle of $version."; exit 1; }
        sleep "$poll"
    done
}

# "Ready v1.0.0 Green", of one environment.
state() {
    beanstalk describe-environments --application-name "$site" --environment-names "$1" --no-include-deleted \
        --query 'Environments[0].[Status,VersionLabel,Health]' | tr '\t' ' '
}

machines() {
    beanstalk describe-environment-resources --environment-name "$1" \
        --query 'length(EnvironmentResources.Instances)'
}

bring_to() {
    environment=$1
    before=$(state "$environment")
    case $before in
    "Ready "*) ;;
    None*) say "There is no environment $environment; deploy/README.md makes it."; exit 1 ;;
    *) say "$environment is busy ($before); try again when it is ready."; exit 1 ;;
    esac
    say "$environment: from $(echo "$before" | cut -d ' ' -f 2) to $version."
    beanstalk update-environment --application-name "$site" --environment-name "$environment" \
        --version-label "$version" --query Status >/dev/null

    round=0
    while now=$(state "$environment") && [ "${now%% *}" != Ready ]; do
        round=$((round + 1))
        [ "$round" -le "$rounds" ] || { say "$environment is still at it: $now."; exit 1; }
        sleep "$poll"
    done
    # A deployment that failed leaves the environment ready, with the release before.
    case $now in
    "Ready $version "*) ;;
    *) say "$environment did not take $version: it has $now. Its events say why."; exit 1 ;;
    esac

    round=0
    while now=$(state "$environment") && [ "${now##* }" != Green ]; do
        if [ "${now##* }" = Grey ] && [ "$(machines "$environment")" = 0 ]; then
            say "$environment has $version and no machine at the moment."
            return
        fi
        round=$((round + 1))
        if [ "$round" -gt "$calm" ]; then
            # Machines that are busy, as workers are meant to be, are a warning to Beanstalk and no illness.
            [ "${now##* }" = Yellow ] || { say "$environment took $version and is not well: $now."; exit 1; }
            say "$environment has $version and a warning; look at its causes."
            return
        fi
        sleep "$poll"
    done
    say "$environment has $version and is well."
}

[ -z "$bundle" ] || register "$@"
wait_registered
if [ -n "$only_register" ]; then
    say "$version is registered."
    exit 0
fi
bring_to "$site-web"
bring_to "$site-worker"
