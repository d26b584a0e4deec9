//! VPCs that do not hang together, and endpoints that are in nothing.

use super::*;

#[test]
fn endpoints_subnets_and_groups_have_to_be_in_what_is_there() {
    let saved = saved();
    let waiting = &saved.rich.waiting;
    // ACME's comes first, whose VPCs are only named.
    let (imagined, made) = ("/networks/0/1", "/networks/1/1");
    let endpoint = format!("`/endpoints/{waiting}`: ");
    for (at, value, place, words) in [
        (format!("/endpoints/{waiting}/vpc"), json!("vpc-0z"), endpoint.as_str(), "it is in `vpc-0z`"),
        (format!("/endpoints/{waiting}/security_groups"), json!(["sg-0z"]), &endpoint, "it is in `sg-0z`"),
        (format!("/endpoints/{waiting}/owner"), json!("444455556666"), &endpoint, "its owner has no VPC in us-west-2"),
        (format!("{made}/vpcs/vpc-0b/id"), json!("vpc-0z"), "`/networks/1/1/vpcs/vpc-0b`: ", "its `id` is `vpc-0z`"),
        (format!("{made}/vpcs/vpc-0b/cidr"), json!("::/0"), "`/networks/1/1/vpcs/vpc-0b`: ", "its blocks"),
        (format!("{made}/subnets/subnet-0b/vpc"), json!("vpc-0z"), "`/networks/1/1/subnets/subnet-0b`: ", "no VPC"),
        (format!("{made}/subnets/subnet-0b/ipv6_cidr"), json!(null), "`/networks/1/1/subnets/subnet-0b`: ", "blocks"),
        (
            format!("{made}/groups/sg-0b/vpc"),
            json!("vpc-0z"),
            "`/networks/1/1/groups/sg-0b`: ",
            "there is no VPC `vpc-0z`",
        ),
        (
            format!("{imagined}/groups/sg-0a/name"),
            json!("x"),
            "`/networks/0/1/vpcs/vpc-0a`: ",
            "no security group `default`",
        ),
    ] {
        only(&saved.with(&at, value), place, words);
    }
    let rules = format!("{imagined}/groups/sg-0a/rules");
    let lost = saved.after(&rules, |rules| {
        let own = rules.as_array_mut().unwrap().iter_mut().find(|rule| rule["egress"] == json!(false)).unwrap();
        own["peer"] = json!({"group": "sg-0z"});
    });
    only(&lost, "`/networks/0/1/groups/sg-0a`: ", "names `sg-0z`, which is not there");
    let block = saved.with(&format!("{made}/vpcs/vpc-0b/cidr"), json!("10.0.0.1/8"));
    only(&block, "`/networks/1/1/vpcs/vpc-0b/cidr`: ", "`10.0.0.1/8` is not a block of addresses");
}
