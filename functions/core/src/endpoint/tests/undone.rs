//! What is undone again and again is left.

use time::Duration;

use super::*;

/// One run: what is planned for the endpoint as it was made, and carried out.
fn run(seen: &Seen, memory: &mut Memory, now: OffsetDateTime) -> Plan<Change> {
    memory.begin();
    let endpoint = seen.endpoints.values().next().unwrap();
    let plan = plan_endpoint(endpoint, seen, &settings(), memory, now);
    for change in &plan.effects {
        memory.took(change, now);
    }
    plan
}

#[test]
fn what_was_set_twice_and_undone_is_left_for_a_day() {
    // Whatever is set, the next look finds it undone.
    let seen = account([endpoint("vpce-0a")]);
    let mut memory = Memory::default();
    for n in 0..2 {
        assert_eq!(run(&seen, &mut memory, NOW + Duration::hours(n)).effects.len(), 1, "{n}");
    }
    for hour in [2, 3, 23] {
        let plan = run(&seen, &mut memory, NOW + Duration::hours(hour));
        assert_eq!(told(&plan), ["held", "held"], "{hour}");
        let commands: Vec<_> = reasons(&plan).into_iter().map(|(_, fix)| fix.unwrap()).collect();
        let head = "aws ec2 modify-vpc-endpoint --region us-west-2 --vpc-endpoint-id vpce-0a";
        assert_eq!(
            commands,
            [
                format!("{head} --ip-address-type dualstack --dns-options DnsRecordIpType=dualstack"),
                format!("{head} --private-dns-enabled")
            ]
        );
    }
    assert_eq!(run(&seen, &mut memory, NOW + Duration::hours(24)).effects.len(), 1);
}

#[test]
fn one_setting_that_is_undone_does_not_stop_the_other() {
    let mut seen = account([endpoint("vpce-0a")]);
    seen.vpcs.get_mut("vpc-1").unwrap().hostnames = Some(false);
    let mut memory = Memory::default();
    for _ in 0..2 {
        run(&seen, &mut memory, NOW);
    }
    seen.vpcs.get_mut("vpc-1").unwrap().hostnames = Some(true);
    let plan = run(&seen, &mut memory, NOW);
    assert_eq!(told(&plan), ["modify  vpce-0a to vpce-svc-0b: private DNS on", "held"]);
}

#[test]
fn what_was_set_in_this_run_is_waited_for_and_not_set_again() {
    let seen = account([endpoint("vpce-0a")]);
    let mut memory = Memory::default();
    run(&seen, &mut memory, NOW);
    let memories = BTreeMap::from([(id("vpce-0a"), memory.clone())]);
    let look = |seen: &Seen| plan_endpoints(seen, &Look::Everything, &settings(), &memories, NOW);
    let EndpointsPlan { plan, under_way } = look(&seen);
    assert_eq!((told(&plan), under_way), (vec!["not-ready".to_owned(); 2], true));
    // Once AWS shows it, nothing is waited for.
    let mut set = seen.clone();
    apply(&mut set, &run(&seen, &mut Memory::default(), NOW).effects);
    let EndpointsPlan { plan, under_way } = look(&set);
    assert_eq!((told(&plan), under_way), (vec!["already-right".to_owned()], false));
    // Nor for what a person has to make possible.
    let mut stuck = set.clone();
    stuck.endpoints.values_mut().for_each(|endpoint| endpoint.ip_address_type = "ipv4".to_owned());
    stuck.subnets.values_mut().for_each(|subnet| subnet.ipv6 = false);
    let EndpointsPlan { plan, under_way } = look(&stuck);
    assert_eq!((told(&plan), under_way), (vec!["not-ready".to_owned()], false));
}

#[test]
fn what_aws_did_not_take_is_tried_in_the_next_run_and_not_in_this_one() {
    let seen = account([endpoint("vpce-0a")]);
    let mut memory = Memory::default();
    memory.begin();
    let whole = plan(&seen, &settings()).effects.remove(0);
    let [addresses, private] = &whole.parts()[..] else { panic!("{whole}") };
    memory.took(addresses, NOW);
    memory.not_taken(private);
    let again = plan_endpoint(&seen.endpoints[&id("vpce-0a")], &seen, &settings(), &memory, NOW);
    assert_eq!(told(&again), ["not-ready"]);
    for _ in 0..5 {
        memory.begin();
        memory.not_taken(private);
    }
    memory.begin();
    let next = plan_endpoint(&seen.endpoints[&id("vpce-0a")], &seen, &settings(), &memory, NOW);
    assert_eq!(next.effects, [whole]);
}
