//! Topics that are there before anybody speaks to SNS.

use crate::{Answer, Region, Reply, Request};

impl Region {
    /// Makes a topic of an account with one subscription, as its owner would over the wire, and answers with its ARN.
    /// What is there already stays as it is.
    ///
    /// # Errors
    ///
    /// SNS's refusal.
    pub fn make_topic(&self, account: &str, name: &str, protocol: &str, endpoint: &str) -> Result<String, String> {
        let region = self.world().settings.name.clone();
        let arn = format!("arn:aws:sns:{region}:{account}:{name}");
        let subscription = [("TopicArn", arn.as_str()), ("Protocol", protocol), ("Endpoint", endpoint)];
        self.ask_sns(account, &region, "CreateTopic", &[("Name", name)])?;
        self.ask_sns(account, &region, "Subscribe", &subscription)?;
        Ok(arn)
    }

    fn ask_sns(&self, account: &str, region: &str, action: &str, parameters: &[(&str, &str)]) -> Result<(), String> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", "2010-03-31").extend_pairs(parameters);
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            authorization: format!("AWS4-HMAC-SHA256 Credential={account}/20260131/{region}/sns/aws4_request"),
            body: body.finish().into_bytes(),
            ..Request::default()
        };
        match self.answer(&request) {
            Reply::Answer(Answer { status: 200, .. }) => Ok(()),
            Reply::Answer(Answer { body, .. }) => Err(body),
            Reply::Reset | Reply::Silence => Err("the Region did not answer".to_owned()),
        }
    }
}
